/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * init.lxc: the smallest init, for containers that run one command.  It starts the command, passes
 * signals on to it, reaps everything, and ends when nothing is left, with the command's status.
 *
 * Called 'airlock' it is the last step into any container instead (see below).
 *
 * It is copied into memory for every start and every attach, and the copy is executed, so it is kept
 * to a few kilobytes: it is linked with no library and makes system calls itself where the machine
 * is one of those below; elsewhere it is linked statically with the C library (FREESTANDING decides,
 * configure sets it).  It takes signals by waiting for them, so there are no handlers and nothing can
 * race.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define GRACE_SECONDS 1 /* between SIGTERM and SIGKILL, anew for each process that ends meanwhile */

/* ---- system calls: the result, or minus an errno value ---- */

#ifdef FREESTANDING
#if defined(__x86_64__)
#define ENTRY                                                                                      \
	"xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call enter_from_kernel\n hlt\n"

static long sys(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall" : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
#define ENTRY                                                                                      \
	"mov x29, #0\n mov x30, #0\n mov x0, sp\n and sp, x0, #-16\n bl enter_from_kernel\n"

static long sys(long number, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
}
#elif defined(__riscv) && __riscv_xlen == 64
#define ENTRY "mv a0, sp\n andi sp, sp, -16\n call enter_from_kernel\n"

static long sys(long number, long a, long b, long c, long d, long e)
{
	register long a7 __asm__("a7") = number;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4)
			 : "memory");
	return a0;
}
#else
#error "this machine's system calls are not known: build without FREESTANDING"
#endif

static long make_child(void)
{
	return sys(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static long make_sibling(void)
{
	return sys(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}
#else
#include <unistd.h>

static long sys(long number, long a, long b, long c, long d, long e)
{
	long result = syscall(number, a, b, c, d, e);

	return result < 0 ? -errno : result;
}

static long make_child(void)
{
	return fork();
}

static long make_sibling(void)
{
	return sys(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}
#endif

/* The kernel's own sizes, which are not those of the C library. */
#ifdef __mips__
#define SIGNAL_BYTES 16L
#else
#define SIGNAL_BYTES 8L
#endif
struct signals {
	uint64_t bits[2];
};
struct wait_time {
	long seconds, nanoseconds;
};

static _Noreturn void end(int status)
{
	for (;;)
		sys(SYS_exit_group, status, 0, 0, 0, 0);
}

static size_t length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static const char *last_name(const char *path)
{
	const char *name = path;

	for (; *path; path++)
		if (*path == '/')
			name = path + 1;
	return name;
}

static void say(int fd, const char *text)
{
	sys(SYS_write, fd, (long)text, (long)length(text), 0, 0);
}

/* ---- signals ---- */

static struct signals all_but_faults(void)
{
	/* A fault that is blocked kills the process anyway, with less to see. */
	const uint64_t faults = 1ull << (SIGILL - 1) | 1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1);

	return (struct signals){{~faults, ~0ull}};
}

static void set_mask(struct signals mask)
{
	sys(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, SIGNAL_BYTES, 0);
}

/* All zeros is SIG_DFL, whatever the order of the fields on this machine. */
static void reset_dispositions(void)
{
	const uint64_t standard[8] = {0};

	for (int n = 1; n <= 64; n++)
		sys(SYS_rt_sigaction, n, (long)standard, 0, SIGNAL_BYTES, 0);
}

/* ---- the command ---- */

static const char *variable(char *const *env, const char *name)
{
	size_t n = length(name);

	for (; *env; env++) {
		size_t i = 0;

		while (i < n && (*env)[i] == name[i])
			i++;
		if (i == n && (*env)[n] == '=')
			return *env + n + 1;
	}
	return NULL;
}

static long execute(const char *path, char *const *argv, char *const *env)
{
	return sys(SYS_execve, (long)path, (long)argv, (long)env, 0, 0);
}

/* As execvp(3): a name without '/' is looked for in PATH. */
static long execute_found(char *const *argv, char *const *env)
{
	const char *dirs = variable(env, "PATH"), *name = argv[0];
	long worst = -ENOENT;
	char path[4096];

	for (const char *at = name; *at; at++)
		if (*at == '/')
			return execute(name, argv, env);
	if (!dirs)
		dirs = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	while (*dirs) {
		size_t n = 0, m = 0;
		long result;

		while (*dirs && *dirs != ':' && n < sizeof(path) - 2)
			path[n++] = *dirs++;
		while (*dirs && *dirs != ':')
			dirs++;
		dirs += *dirs == ':';
		path[n++] = '/';
		while (name[m] && n < sizeof(path) - 1)
			path[n++] = name[m++];
		path[n] = '\0';
		result = execute(path, argv, env);
		if (result != -ENOENT && result != -ENOTDIR)
			worst = result;
	}
	return worst;
}

static _Noreturn void be_command(char *const *argv, char *const *env)
{
	long result;

	reset_dispositions();
	set_mask((struct signals){0});
	sys(SYS_setsid, 0, 0, 0, 0, 0);
	sys(SYS_ioctl, 0, TIOCSCTTY, 0, 0, 0);
	result = execute_found(argv, env);
	say(2, "init.lxc: cannot run \"");
	say(2, argv[0]);
	say(2, result == -ENOENT || result == -ENOTDIR ? "\": No such file or directory\n" :
	       result == -EACCES		       ? "\": Permission denied\n" :
	       result == -ENOEXEC		       ? "\": Exec format error\n" :
							 "\": it cannot be executed\n");
	end(255);
}

/* ---- everybody else ---- */

static void signal_children(int number)
{
	static const char file[] = "/proc/thread-self/children";
	char text[4096];
	long fd = sys(SYS_openat, AT_FDCWD, (long)file, O_RDONLY | O_CLOEXEC, 0, 0);
	long n = fd < 0 ? 0 : sys(SYS_read, fd, (long)text, sizeof(text), 0, 0);
	long pid = 0;

	for (long i = 0; i < n; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			pid = pid * 10 + (text[i] - '0');
			continue;
		}
		if (pid > 1)
			sys(SYS_kill, pid, number, 0, 0, 0);
		pid = 0;
	}
	if (fd >= 0)
		sys(SYS_close, fd, 0, 0, 0, 0);
}

/* As the first process of the namespace, -1 is everybody in the container and nobody else. */
static void signal_all(int number)
{
	if (sys(SYS_getpid, 0, 0, 0, 0, 0) == 1)
		sys(SYS_kill, -1, number, 0, 0, 0);
	else
		signal_children(number);
}

/* Who forks faster than one can kill would never end. */
static void forbid_forks(void)
{
	static const char *const files[] = {"/sys/fs/cgroup/pids.max",
					    "/sys/fs/cgroup/pids/pids.max"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		long fd = sys(SYS_openat, AT_FDCWD, (long)files[i], O_WRONLY | O_CLOEXEC, 0, 0);

		if (fd < 0)
			continue;
		say((int)fd, "0");
		sys(SYS_close, fd, 0, 0, 0, 0);
	}
}

struct state {
	long command; /* its pid; 0: it has ended */
	int status;   /* to end with */
	int ending;   /* SIGTERM was sent to all */
};

/* Reap all that have ended.  0 when no child is left at all. */
static int reap(struct state *s)
{
	for (;;) {
		int status = 0;
		long pid = sys(SYS_wait4, -1, (long)&status, WNOHANG, 0, 0);

		if (pid == -EINTR)
			continue;
		if (pid <= 0)
			return pid == 0;
		if (pid != s->command)
			continue;
		s->command = 0;
		s->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

static void begin_to_end(struct state *s)
{
	if (s->ending)
		return;
	s->ending = 1;
	forbid_forks();
	signal_all(SIGTERM);
}

static void watch(struct state *s)
{
	const struct signals all = all_but_faults();
	const struct wait_time grace = {GRACE_SECONDS, 0};

	while (reap(s)) {
		long number = sys(SYS_rt_sigtimedwait, (long)&all, 0,
				  s->ending ? (long)&grace : 0, SIGNAL_BYTES, 0);

		if (number == SIGTERM || number == SIGPWR)
			begin_to_end(s);
		else if (number == -EAGAIN)
			signal_all(SIGKILL);
		else if (number > 0 && number != SIGCHLD && s->command)
			sys(SYS_kill, s->command, number, 0, 0, 0);
	}
}

/* What one says from now on is for whoever looks after the machine, not for the command's reader. */
static void settle(void)
{
	static const char console[] = "/dev/console", name[] = "init";
	long fd = sys(SYS_openat, AT_FDCWD, (long)console, O_WRONLY | O_NOCTTY | O_CLOEXEC, 0, 0);

	if (fd >= 0)
		sys(SYS_dup3, fd, 2, 0, 0, 0);
	sys(SYS_prctl, PR_SET_NAME, (long)name, 0, 0, 0);
	sys(SYS_close_range, 3, ~0U, 0, 0, 0);
}

/*
 * ---- the airlock ----
 *
 * What a container names may be '/proc/self/exe' in many disguises: a link, a script's interpreter, a
 * program's loader.  So nobody executes it straight out of a program of the host, which it would reach
 * that way (CVE-2019-5736); everybody executes our sealed copy first, with no descriptor left but 0, 1,
 * 2 and the one to report on, and we execute it.
 *
 *	airlock FLAGS PATH ARG0 [ARG...]
 *
 * Flags: c, in a sibling that is born in the pid namespace which was entered, so that no process of
 * the container ever sees one that still is of the host (CVE-2016-8649); t, in a session of its own
 * with standard input as its terminal; s, a file of unknown format is given to /bin/sh; p, nothing is
 * executed: a filesystem of type ARG0 is mounted on PATH, for a procfs shows the pid namespace of who
 * mounts it.
 * On descriptor 3 go an int that is the pid of the sibling, and one that is minus the errno value of an
 * execve that failed, or of that mount (0: it was made).
 */
#define REPORT 3

static int has(const char *flags, char flag)
{
	while (*flags && *flags != flag)
		flags++;
	return *flags == flag;
}

static void report(long value)
{
	int word = (int)value;

	sys(SYS_write, REPORT, (long)&word, sizeof(word), 0, 0);
}

static long execute_by_shell(const char *path, char **argv, char **env)
{
	static char shell[] = "/bin/sh";

	/* The words before ours are free now. */
	argv[-1] = shell;
	argv[0] = (char *)path;
	return execute(shell, argv - 1, env);
}

static int airlock(int argc, char **argv, char **env)
{
	const char *flags = argc > 3 ? argv[1] : "";
	long result;

	if (argc < 4)
		return 1;
	sys(SYS_fcntl, REPORT, F_SETFD, FD_CLOEXEC, 0, 0);
	if (has(flags, 'c')) {
		result = make_sibling();
		if (result != 0) {
			report(result);
			return 0;
		}
	}
	if (has(flags, 't')) {
		sys(SYS_setsid, 0, 0, 0, 0, 0);
		sys(SYS_ioctl, 0, TIOCSCTTY, 0, 0, 0);
	}
	if (has(flags, 'p'))
		result = sys(SYS_mount, (long)argv[3], (long)argv[2], (long)argv[3],
			     MS_NOSUID | MS_NODEV | MS_NOEXEC, 0);
	else
		result = execute(argv[2], argv + 3, env);
	if (result == -ENOEXEC && has(flags, 's'))
		result = execute_by_shell(argv[2], argv + 3, env);
	report(result);
	return 127;
}

/* ---- options ---- */

static const char usage[] =
	"usage: init.lxc [-n NAME] [-l LEVEL] [-q] [-P PATH] [-o FILE] [--] COMMAND [ARG...]\n";
static const char help[] =
	"\n"
	"The init of a container that runs one command: starts it, passes signals on to it,\n"
	"reaps all processes, and ends when none is left, with the command's exit status.\n"
	"The options are those of older versions; they change nothing.\n";

/* The index of the command; an option that takes a value takes the next word, too. */
static int find_command(int argc, char **argv)
{
	static const char *const valued[] = {"-n", "-l", "-P", "-o", "--name", "--logpriority",
					     "--lxcpath", "--logfile"};
	int i = 1;

	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (same(argv[i], "--"))
			return i + 1;
		if (same(argv[i], "-h") || same(argv[i], "--help") || same(argv[i], "-?")) {
			say(1, usage);
			say(1, help);
			end(0);
		}
		if (same(argv[i], "--usage")) {
			say(1, usage);
			end(0);
		}
		if (same(argv[i], "--version")) {
			say(1, LXCORE_VERSION "\n");
			end(0);
		}
		for (size_t v = 0; v < sizeof(valued) / sizeof(valued[0]); v++)
			i += same(argv[i], valued[v]) && i + 1 < argc;
	}
	return i;
}

static int run(int argc, char **argv, char **env)
{
	struct state s = {.status = 1};
	int first;

	if (argc && same(argv[0], "airlock"))
		return airlock(argc, argv, env);
	/* A script of the container's that has /proc/self/exe for its interpreter would go round. */
	if (!argc || !same(last_name(argv[0]), "init.lxc"))
		return 126;
	first = find_command(argc, argv);
	if (first >= argc) {
		say(2, usage);
		return 1;
	}
	set_mask(all_but_faults());
	s.command = make_child();
	if (s.command == 0)
		be_command(argv + first, env);
	if (s.command < 0) {
		say(2, "init.lxc: cannot make a process for the command\n");
		return 1;
	}
	settle();
	watch(&s);
	return s.status;
}

#ifdef FREESTANDING
/* The stack as the kernel leaves it: argc, argv, NULL, environment, NULL. */
__attribute__((used)) _Noreturn void enter_from_kernel(long *stack);
__attribute__((used)) _Noreturn void enter_from_kernel(long *stack)
{
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1);

	end(run(argc, argv, argv + argc + 1));
}
__asm__(".globl _start\n_start:\n" ENTRY);

/* The compiler may make calls of these out of assignments and loops. */
void *memset(void *to, int byte, size_t n);
void *memset(void *to, int byte, size_t n)
{
	for (volatile char *at = to; n--; at++)
		*at = (char)byte;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	volatile char *at = to;

	for (const char *source = from; n--;)
		*at++ = *source++;
	return to;
}
#else
int main(int argc, char **argv, char **env)
{
	return run(argc, argv, env);
}
#endif
