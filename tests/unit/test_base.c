/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text, errors, descriptors, the journal and child processes. */
#include "unit.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/journal.h"
#include "base/proc.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* ---- text ---- */

static void test_buf(void)
{
	struct buf b = BUF_INIT;
	char *text;

	CU_ASSERT_PTR_NULL(b.s);
	buf_puts(&b, "ab");
	buf_addf(&b, "%d-%s", 12, "x");
	buf_add(&b, "\0z", 2);
	SAME_NUMBER(b.len, 8);
	CU_ASSERT(memcmp(b.s, "ab12-x\0z", 9) == 0);
	for (int i = 0; i < 1000; i++)
		buf_puts(&b, "0123456789");
	SAME_NUMBER(b.len, 10008);
	SAME_NUMBER(strlen(b.s + 8), 10000);
	text = buf_steal(&b);
	CU_ASSERT_PTR_NULL(b.s);
	SAME_NUMBER(b.len, 0);
	free(text);
	text = buf_steal(&b); /* of nothing: an empty text */
	SAME(text, "");
	free(text);
	b.failed = true; /* memory ran out once: nothing more is added, and nothing is handed out */
	buf_puts(&b, "x");
	CU_ASSERT_PTR_NULL(buf_steal(&b));
}

static void joined(const struct strv *list, const char *expected, unsigned line)
{
	autobuf struct buf all = BUF_INIT;

	buf_puts(&all, "");
	for (size_t i = 0; i < list->n; i++)
		buf_addf(&all, "%s|", list->v[i]);
	same_text(all.s, expected, __FILE__, line);
	CU_ASSERT(!list->v || !list->v[list->n]);
}

static void test_strv(void)
{
	struct strv list = {0};

	SAME_NUMBER(strv_add(&list, "b"), 0);
	SAME_NUMBER(strv_take(&list, strdup("a")), 0);
	SAME_NUMBER(strv_take(&list, NULL), -1);
	SAME_NUMBER(strv_add(&list, "c"), 0);
	joined(&list, "b|a|c|", __LINE__);
	CU_ASSERT(strv_has(&list, "a") && !strv_has(&list, "") && !strv_has(&list, "ab"));
	strv_sort(&list);
	joined(&list, "a|b|c|", __LINE__);
	strv_remove(&list, 1);
	joined(&list, "a|c|", __LINE__);
	strv_remove(&list, 1);
	strv_remove(&list, 0);
	joined(&list, "", __LINE__);
	strv_free(&list);
	CU_ASSERT_PTR_NULL(list.v);
}

static void test_split(void)
{
	static const struct {
		const char *text, *plain, *quoted;
	} table[] = {
		{"", "", ""},
		{"  \t ", "", ""},
		{"a b", "a|b|", "a|b|"},
		{" a\t\tb ", "a|b|", "a|b|"},
		{"a 'b c' d", "a|'b|c'|d|", "a|b c|d|"},
		{"\"a b\"c", "\"a|b\"c|", "a b|c|"},
		{"'a \"b' \"c 'd\"", "'a|\"b'|\"c|'d\"|", "a \"b|c 'd|"},
		{"'' x", "''|x|", "|x|"},
		{"'open end", "'open|end|", "open end|"},
		{"a'b c'", "a'b|c'|", "a'b|c'|"},
		{"a\\ b", "a\\|b|", "a\\|b|"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		autostrv struct strv plain = {0}, quoted = {0};

		SAME_NUMBER(strv_split(&plain, table[i].text, " \t"), 0);
		SAME_NUMBER(strv_split_quoted(&quoted, table[i].text), 0);
		joined(&plain, table[i].plain, __LINE__);
		joined(&quoted, table[i].quoted, __LINE__);
	}
}

static void test_numbers(void)
{
	static const struct {
		const char *text;
		bool u, i;
		long long value;
	} table[] = {
		{"0", true, true, 0},
		{"42", true, true, 42},
		{"007", true, true, 7},
		{"9223372036854775807", true, true, LLONG_MAX},
		{"-9223372036854775808", false, true, LLONG_MIN},
		{"-1", false, true, -1},
		{"+1", false, true, 1},
		{"", false, false, 0},
		{"-", false, false, 0},
		{" 1", false, false, 0},
		{"1 ", false, false, 0},
		{"1x", false, false, 0},
		{"0x10", false, false, 0},
		{"--1", false, false, 0},
		{"99999999999999999999", false, false, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		unsigned long long u = 0;
		long long n = 0;

		SAME_NUMBER(str_to_u64(table[i].text, &u), table[i].u);
		SAME_NUMBER(str_to_i64(table[i].text, &n), table[i].i);
		SAME_NUMBER(u, table[i].u ? table[i].value : 0);
		SAME_NUMBER(n, table[i].value);
	}
	CU_ASSERT(str_starts("abc", "") && str_starts("abc", "ab") && !str_starts("ab", "abc"));
	CU_ASSERT(str_ends("abc", "") && str_ends("abc", "bc") && !str_ends("bc", "abc"));
}

static void test_errors(void)
{
	struct error err = {0};
	char longer[2000];

	SAME_NUMBER(error_set(&err, EBUSY, "cannot use \"%s\"", "x"), -1);
	SAME(err.text, "cannot use \"x\"");
	error_mend(&err, "first");
	error_mend(&err, "second"); /* who is nearer knows better */
	SAME_NUMBER(error_within(&err, "web: %s", "network"), -1);
	SAME(err.text, "web: network: cannot use \"x\"");
	SAME(err.mend, "first");
	SAME_NUMBER(err.code, EBUSY);
	errno = ENOENT;
	SAME_NUMBER(error_sys(&err, "cannot open \"%s\"", "/x"), -1);
	SAME(err.text, "cannot open \"/x\": No such file or directory");
	SAME(err.mend, "");
	SAME_NUMBER(errno, ENOENT);
	error_set(&err, EINVAL, "a\nb\tc\x1b[0m\x7f\xc2\x9b\xc3\xa9");
	SAME(err.text, "a?b?c?[0m???\xc3\xa9"); /* no control characters reach a terminal */
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	error_set(&err, EINVAL, "%s", longer);
	SAME_NUMBER(strlen(err.text), sizeof(err.text) - 1);
	error_within(&err, "%s", longer);
	SAME_NUMBER(strlen(err.text), sizeof(err.text) - 1);
	error_clear(&err);
	SAME(err.text, "");
	SAME_NUMBER(err.code, 0);
	SAME_NUMBER(error_set(NULL, EBUSY, "x"), -1);
	SAME_NUMBER(error_within(NULL, "x"), -1);
}

/* ---- files and descriptors ---- */

static void test_file_replace(void)
{
	struct unit_dir dir = unit_dir();
	autobuf struct buf text = BUF_INIT;
	struct stat st;

	SAME_NUMBER(file_replace(dir.fd, "f", "one", 0640), 0);
	SAME_NUMBER(file_read(dir.fd, "f", &text), 0);
	SAME(text.s, "one");
	SAME_NUMBER(fstatat(dir.fd, "f", &st, 0), 0);
	SAME_NUMBER(st.st_mode & 0777, 0640);
	/* Who has the old file open keeps reading the old text. */
	autoclose int old = openat(dir.fd, "f", O_RDONLY | O_CLOEXEC);
	SAME_NUMBER(file_replace(dir.fd, "f", "another", 0600), 0);
	text.len = 0;
	SAME_NUMBER(fd_read_all(old, &text, 100), 0);
	SAME(text.s, "one");
	text.len = 0;
	file_read(dir.fd, "f", &text);
	SAME(text.s, "another");
	SAME_NUMBER(faccessat(dir.fd, "f.new", F_OK, 0), -1);
	/* A link that waits where the new file is made is not followed. */
	SAME_NUMBER(symlinkat("target", dir.fd, "g.new"), 0);
	SAME_NUMBER(file_replace(dir.fd, "g", "x", 0600), -1);
	SAME_NUMBER(faccessat(dir.fd, "target", F_OK, 0), -1);
	/* A failure leaves the old one and nothing else. */
	SAME_NUMBER(mkdirat(dir.fd, "d", 0700), 0);
	SAME_NUMBER(file_replace(dir.fd, "d", "x", 0600), -1);
	SAME_NUMBER(faccessat(dir.fd, "d.new", F_OK, 0), -1);
	SAME_NUMBER(file_replace(dir.fd, "none/f", "x", 0600), -1);
	SAME_NUMBER(errno, ENOENT);
	unit_remove(&dir);
}

static void test_read_limit(void)
{
	struct unit_dir dir = unit_dir();
	autobuf struct buf text = BUF_INIT;
	autofree char *file = unit_file(&dir, "f", "0123456789");
	autoclose int fd = open(file, O_RDONLY | O_CLOEXEC);

	SAME_NUMBER(fd_read_all(fd, &text, 9), -1);
	SAME_NUMBER(errno, EFBIG);
	lseek(fd, 0, SEEK_SET);
	SAME_NUMBER(fd_read_all(fd, &text, 10), 0);
	SAME(text.s, "0123456789");
	SAME_NUMBER(file_read(dir.fd, "none", &text), -1);
	SAME_NUMBER(errno, ENOENT);
	SAME_NUMBER(file_write(dir.fd, "f", "abc"), 0);
	SAME_NUMBER(file_write(dir.fd, "none", "abc"), -1);
	unit_remove(&dir);
}

static void test_passing_descriptors(void)
{
	struct unit_dir dir = unit_dir();
	int pair[2], sent[3], got[3] = {-1, -1, -1};
	size_t n = 2;
	char bytes[8] = "";
	struct stat a, b;

	SAME_NUMBER(fd_socketpair(pair), 0);
	for (int i = 0; i < 3; i++) {
		sent[i] = openat(dir.fd, (char[]){(char)('a' + i), 0}, O_CREAT | O_RDWR | O_CLOEXEC,
				 0600);
		CU_ASSERT(sent[i] >= 0);
	}
	SAME_NUMBER(fd_wait(pair[1], 0), 0);
	SAME_NUMBER(fd_send(pair[0], "hello", 5, sent, 3), 5);
	SAME_NUMBER(fd_wait(pair[1], 1000), 1);
	/* There is room for two: the third is closed and not left behind. */
	SAME_NUMBER(fd_receive(pair[1], bytes, sizeof(bytes), got, &n), 5);
	SAME(bytes, "hello");
	SAME_NUMBER(n, 2);
	SAME_NUMBER(got[2], -1);
	for (size_t i = 0; i < n; i++) {
		SAME_NUMBER(fcntl(got[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		CU_ASSERT(fstat(sent[i], &a) == 0 && fstat(got[i], &b) == 0);
		SAME_NUMBER(a.st_ino, (long long)b.st_ino);
		close(got[i]);
	}
	SAME_NUMBER(fd_send(pair[0], "x", 1, NULL, 0), 1);
	n = 3;
	SAME_NUMBER(fd_receive(pair[1], bytes, sizeof(bytes), got, &n), 1);
	SAME_NUMBER(n, 0);
	SAME_NUMBER(fd_send(pair[0], "x", 1, sent, FD_MAX_PASSED + 1), -1);
	SAME_NUMBER(errno, E2BIG);
	close(pair[0]);
	SAME_NUMBER(fd_receive(pair[1], bytes, sizeof(bytes), NULL, NULL), 0);
	SAME_NUMBER(fd_send(pair[1], "x", 1, NULL, 0), -1); /* and no SIGPIPE */
	SAME_NUMBER(errno, EPIPE);
	close(pair[1]);
	for (int i = 0; i < 3; i++)
		close(sent[i]);
	unit_remove(&dir);
}

static void test_sockets_by_directory(void)
{
	struct unit_dir dir = unit_dir();
	autofree char *deep = str_printf("%s/%0100d", dir.path, 1);
	char name[120];

	SAME_NUMBER(mkdir(deep, 0700), 0); /* longer than an address may be */
	autoclose int d = open(deep, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autoclose int listener = fd_listen_at(d, "control", SOCK_SEQPACKET);
	CU_ASSERT(listener >= 0);
	autoclose int client = fd_connect_at(d, "control", SOCK_SEQPACKET);
	CU_ASSERT(client >= 0);
	SAME_NUMBER(fd_wait(listener, 1000), 1);
	SAME_NUMBER(fd_connect_at(d, "none", SOCK_SEQPACKET), -1);
	SAME_NUMBER(errno, ENOENT);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	SAME_NUMBER(fd_connect_at(d, name, SOCK_SEQPACKET), -1);
	SAME_NUMBER(errno, ENAMETOOLONG);
	unit_remove(&dir);
}

/* ---- journal ---- */

static void test_journal(void)
{
	struct unit_dir dir = unit_dir();
	struct journal j;
	struct error err = {0};
	const char *at;

	CU_ASSERT(!journal_load(&j, dir.fd));
	SAME_NUMBER(journal_open(&j, dir.fd, &err), 0);
	SAME_NUMBER(journal_record(&j, "cgroup", "/a", &err), 0);
	SAME_NUMBER(journal_record(&j, "cgroup2", "/other", &err), 0);
	SAME_NUMBER(journal_record(&j, "cgroup", "/a b", &err), 0);
	SAME_NUMBER(journal_record(&j, "cgroup", "two\nlines", &err), -1);
	HAS(err.text, "cannot record cgroup");
	SAME_NUMBER(journal_record(&j, "veth", "v0", &err), 0);
	journal_close(&j);
	SAME_NUMBER(j.fd, -1);

	SAME_NUMBER(journal_open(&j, dir.fd, &err), 0); /* opening again keeps what is there */
	SAME_NUMBER(journal_record(&j, "cgroup", "", &err), 0);
	journal_close(&j);

	CU_ASSERT(journal_load(&j, dir.fd));
	at = journal_previous(&j, "cgroup", NULL); /* the newest first */
	SAME(at, "");
	at = journal_previous(&j, "cgroup", at);
	SAME(at, "/a b");
	at = journal_previous(&j, "cgroup", at);
	SAME(at, "/a");
	CU_ASSERT_PTR_NULL(journal_previous(&j, "cgroup", at));
	SAME(journal_previous(&j, "cgroup2", NULL), "/other");
	SAME(journal_previous(&j, "veth", NULL), "v0");
	CU_ASSERT_PTR_NULL(journal_previous(&j, "vet", NULL));
	CU_ASSERT_PTR_NULL(journal_previous(&j, "v0", NULL));
	journal_close(&j);
	journal_remove(dir.fd);
	CU_ASSERT(!journal_load(&j, dir.fd));
	journal_remove(dir.fd);
	unit_remove(&dir);
}

/* A crash may leave half a line, an empty file, or nothing. */
static void test_torn_journal(void)
{
	struct unit_dir dir = unit_dir();
	struct journal j;

	free(unit_file(&dir, "journal", ""));
	CU_ASSERT(journal_load(&j, dir.fd));
	CU_ASSERT_PTR_NULL(journal_previous(&j, "a", NULL));
	journal_close(&j);
	free(unit_file(&dir, "journal", "\n\na 1\nnonsense\na 2\na"));
	CU_ASSERT(journal_load(&j, dir.fd));
	SAME(journal_previous(&j, "a", NULL), "2");
	SAME(journal_previous(&j, "a", journal_previous(&j, "a", NULL)), "1");
	journal_close(&j);
	unit_remove(&dir);
}

/* ---- processes ---- */

#define RUN(...)                                                                                   \
	.argv = (const char *const[])                                                              \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static void test_run_output(void)
{
	autobuf struct buf out = BUF_INIT;
	struct error err = {0};
	struct proc_run run = {RUN("sh", "-c", "echo out; echo err >&2; cat; exit 3"),
			       .input = "in"};
	int status = proc_run(&run, &out, &err);
	char text[64];

	CU_ASSERT(WIFEXITED(status));
	SAME_NUMBER(WEXITSTATUS(status), 3);
	SAME(out.s, "out\nerr\nin");
	SAME(proc_status_text(status, text), "exit status 3");
	SAME(err.text, "");
	run = (struct proc_run){RUN("sh", "-c", "kill -9 $$")};
	status = proc_run(&run, NULL, &err);
	CU_ASSERT(WIFSIGNALED(status));
	SAME(proc_status_text(status, text), "killed by signal 9 (Killed)");
}

static void test_run_failures(void)
{
	struct proc_run run = {RUN("/nowhere/program")};
	struct error err = {0};
	long long before;

	SAME_NUMBER(proc_run(&run, NULL, &err), -1);
	SAME_NUMBER(err.code, ENOENT);
	SAME(err.text, "cannot run /nowhere/program: No such file or directory");
	run = (struct proc_run){RUN("lxt-no-such-program")};
	SAME_NUMBER(proc_run(&run, NULL, &err), -1);
	SAME_NUMBER(err.code, ENOENT);
	before = clock_ms();
	run = (struct proc_run){RUN("sleep", "60"), .timeout_ms = 100};
	SAME_NUMBER(proc_run(&run, NULL, &err), -1);
	SAME_NUMBER(err.code, ETIMEDOUT);
	HAS(err.text, "sleep did not end within");
	CU_ASSERT(clock_ms() - before < 10000);
	SAME_NUMBER(waitpid(-1, NULL, WNOHANG), -1); /* it was reaped */
	SAME_NUMBER(errno, ECHILD);
}

static void test_run_surroundings(void)
{
	autobuf struct buf out = BUF_INIT;
	autostrv struct strv set = {0};
	struct error err = {0};
	sigset_t blocked, before;
	struct proc_run run = {RUN("sh", "-c", "echo $LXT_A; grep SigBlk /proc/self/status"),
			       .set_env = &set};

	strv_add(&set, "LXT_A=value");
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	SAME_NUMBER(proc_run(&run, &out, &err), 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
	SAME(out.s, "value\nSigBlk:\t0000000000000000\n");
	CU_ASSERT_PTR_NULL(getenv("LXT_A"));
	/* Output beyond the limit is read and thrown away; the program does not get stuck. */
	out.len = 0;
	run = (struct proc_run){RUN("head", "-c", "300000", "/dev/zero"), .timeout_ms = 20000};
	SAME_NUMBER(proc_run(&run, &out, &err), 0);
	CU_ASSERT(out.len >= 65536 && out.len < 65536 + 4096);
	/* What a program leaves running with our pipe open is not waited for. */
	run = (struct proc_run){RUN("sh", "-c", "sleep 3 & echo x"), .timeout_ms = 20000};
	long long start = clock_ms();
	SAME_NUMBER(proc_run(&run, NULL, &err), 0);
	CU_ASSERT(clock_ms() - start < 2500);
}

static void test_process_identity(void)
{
	struct proc_id self = {getpid(), proc_start_time(getpid())}, other = self;
	int pidfd;

	CU_ASSERT(self.start > 0);
	pidfd = proc_open(self);
	CU_ASSERT(pidfd >= 0);
	SAME_NUMBER(proc_wait_end(pidfd, 0), 0);
	close(pidfd);
	other.start++; /* the pid was given to another process meanwhile */
	SAME_NUMBER(proc_open(other), -1);
	SAME_NUMBER(errno, ESRCH);
	SAME_NUMBER(proc_open((struct proc_id){0}), -1);
	SAME_NUMBER(proc_start_time(0x7fffffff), 0);
}

static void test_signal_and_reap(void)
{
	pid_t pid = fork();
	int pidfd, status;

	if (pid == 0) {
		pause();
		_exit(0);
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	SAME_NUMBER(proc_wait_end(pidfd, 10), 0);
	SAME_NUMBER(proc_signal(pidfd, SIGTERM), 0);
	SAME_NUMBER(proc_wait_end(pidfd, 10000), 1);
	status = proc_reap(pidfd);
	CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	SAME_NUMBER(proc_reap(pidfd), -1);
	close(pidfd);
}

void suite_base(void)
{
	static const struct unit_test tests[] = {
		{"text grows", test_buf},
		{"lists of strings", test_strv},
		{"splitting into words", test_split},
		{"numbers are whole or none", test_numbers},
		{"errors are a chain of words", test_errors},
		{"a file is replaced whole or not at all", test_file_replace},
		{"reading has a limit", test_read_limit},
		{"descriptors pass through a socket", test_passing_descriptors},
		{"sockets of long paths", test_sockets_by_directory},
		{"the journal is read newest first", test_journal},
		{"a torn journal is read", test_torn_journal},
		{"a program's output and status", test_run_output},
		{"a program that cannot run or does not end", test_run_failures},
		{"a program's surroundings", test_run_surroundings},
		{"a process is its pid and its start", test_process_identity},
		{"a process is signalled and reaped", test_signal_and_reap},
		{NULL, NULL},
	};

	unit_suite("base", tests);
}
