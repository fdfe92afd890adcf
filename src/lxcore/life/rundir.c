/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The run directory: what can be known of a running container without asking its supervisor. */
#include "life/rundir.h"
#include "base/fd.h"
#include "base/path.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define EXITS ".exit"

static const char *const state_names[LXCORE_N_STATES] = {
	"STOPPED", "STARTING", "RUNNING", "STOPPING", "ABORTING", "FREEZING", "FROZEN", "THAWED",
};

const char *lxcore_state_name(enum lxcore_state state)
{
	return (unsigned)state < LXCORE_N_STATES ? state_names[state] : "UNKNOWN";
}

int lxcore_state_parse(const char *name)
{
	for (int i = 0; i < LXCORE_N_STATES; i++)
		if (strcasecmp(name, state_names[i]) == 0)
			return i;
	return -1;
}

static char *base_path(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME");

	if (geteuid() == 0)
		return strdup(LXCORE_RUNDIR "/lxc");
	/* Not everybody has the former: it comes with a login. */
	if (runtime && *runtime == '/')
		return str_printf("%s/lxc", runtime);
	return str_printf("%s/.cache/lxc/run", home ? home : "");
}

/* One directory name for a path: '/' becomes '-', what is not plain becomes \\xHH; too long: a hash. */
static void escape_path(const char *path, struct buf *out)
{
	size_t start = out->len;
	unsigned long long hash = 0xcbf29ce484222325ULL; /* FNV-1a, 64 bits */

	for (const char *at = path + strspn(path, "/"); *at; at++) {
		hash = (hash ^ (unsigned char)*at) * 0x100000001b3ULL;
		if (*at == '/')
			buf_puts(out, "-");
		else if (isalnum((unsigned char)*at) || strchr("_:", *at) ||
			 (*at == '.' && out->len > start))
			buf_add(out, at, 1);
		else
			buf_addf(out, "\\x%02x", (unsigned char)*at);
	}
	if (out->len == start)
		buf_puts(out, "-");
	if (out->len - start > 200) {
		out->len = start;
		buf_addf(out, "hash-%016llx", hash);
	}
}

char *rundir_parent_below(const char *base, const char *lxcpath)
{
	struct buf path = BUF_INIT;

	buf_addf(&path, "%s/", base);
	escape_path(lxcpath, &path);
	return buf_steal(&path);
}

char *rundir_parent_path(const char *lxcpath)
{
	autofree char *base = base_path();

	return rundir_parent_below(base ? base : "", lxcpath);
}

char *rundir_path(const char *lxcpath, const char *name)
{
	autofree char *parent = rundir_parent_path(lxcpath);

	return parent ? str_printf("%s/%s", parent, name) : NULL;
}

int rundir_open(const char *lxcpath, const char *name)
{
	autofree char *path = rundir_path(lxcpath, name);

	return path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
}

int rundir_open_parent(const char *lxcpath, bool make)
{
	autofree char *path = rundir_parent_path(lxcpath);
	int fd;

	if (!path)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT && make && path_make_dirs(path, 0700) == 0)
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd;
}

static int take_lock(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_SETLK, &lock);
}

/* The holder of a lock may have removed the directory while we waited: then ours is a ghost. */
static bool is_same_file(int fd, int dir, const char *name)
{
	struct stat mine, there;

	return fstat(fd, &mine) == 0 && fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

static int try_lock(int parent, const char *name, int *ret_lock)
{
	autoclose int dir = -1, lock = -1;

	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return -1;
	dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir >= 0)
		lock = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0 || take_lock(lock) < 0) {
		if (errno == ENOENT)
			errno = EAGAIN;
		return -1;
	}
	if (!is_same_file(lock, dir, "lock") || !is_same_file(dir, parent, name)) {
		errno = EAGAIN;
		return -1;
	}
	*ret_lock = steal_fd(&lock);
	return steal_fd(&dir);
}

int rundir_lock(const char *lxcpath, const char *name, int timeout_ms, int *ret_lock,
		struct error *err)
{
	long long end = clock_ms() + timeout_ms;
	autoclose int parent = rundir_open_parent(lxcpath, true);

	if (parent < 0) {
		autofree char *path = rundir_parent_path(lxcpath);

		error_sys(err, "cannot make the run directory \"%s\"", path ? path : "");
		return error_mend(err, "run it as root");
	}
	for (;;) {
		int dir = try_lock(parent, name, ret_lock);

		if (dir >= 0)
			return dir;
		if (errno != EAGAIN && errno != EACCES)
			return error_sys(err, "cannot lock the run directory of %s", name);
		if (clock_ms() >= end)
			break;
		usleep(2000);
	}
	return error_set(err, EBUSY, "it is running, or another command is at work on it");
}

int rundir_open_lock(int rundir)
{
	return openat(rundir, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

bool rundir_lock_is_held(int lock)
{
	struct flock held = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(lock, F_OFD_GETLK, &held) == 0 && held.l_type != F_UNLCK;
}

bool rundir_is_locked(int rundir)
{
	autoclose int lock = rundir_open_lock(rundir);

	return lock >= 0 && rundir_lock_is_held(lock);
}

void rundir_remove(const char *lxcpath, const char *name, int rundir)
{
	autoclose int parent = rundir_open_parent(lxcpath, false);
	autodir DIR *dir = NULL;
	int copy = openat(rundir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;

	dir = copy >= 0 ? fdopendir(copy) : NULL;
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "lock") != 0)
			unlinkat(rundir, entry->d_name, 0);
	unlinkat(rundir, "lock", 0);
	if (parent >= 0)
		unlinkat(parent, name, AT_REMOVEDIR);
}

int rundir_write_state(int rundir, const struct run_state *s)
{
	char text[256];

	snprintf(text, sizeof(text), "state %s\nsupervisor %d %llu\ninit %d %llu\nboot %u\n"
		 "restarts %u\nnext %lld\n",
		 lxcore_state_name(s->state), s->supervisor.pid, s->supervisor.start, s->init.pid,
		 s->init.start, s->boot, s->restarts, s->next);
	return file_replace(rundir, "state", text, 0600);
}

int rundir_open_state(int rundir)
{
	return openat(rundir, "state", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

bool rundir_parse_state(int file, struct run_state *ret)
{
	char text[512], word[32];
	ssize_t n = pread(file, text, sizeof(text) - 1, 0);
	int state;

	if (n <= 0)
		return false;
	text[n] = '\0';
	*ret = (struct run_state){0};
	if (sscanf(text,
		   "state %31s supervisor %d %llu init %d %llu boot %u restarts %u next %lld", word,
		   &ret->supervisor.pid, &ret->supervisor.start, &ret->init.pid, &ret->init.start,
		   &ret->boot, &ret->restarts, &ret->next) != 8)
		return false;
	state = lxcore_state_parse(word);
	ret->state = state < 0 ? LXCORE_STOPPED : (enum lxcore_state)state;
	return state >= 0;
}

bool rundir_read_state(int rundir, struct run_state *ret)
{
	autoclose int file = rundir_open_state(rundir);

	return file >= 0 && rundir_parse_state(file, ret);
}

bool rundir_state_is_last(int file)
{
	struct stat st;

	return fstat(file, &st) == 0 && st.st_nlink > 0;
}

void rundir_write_oom(int rundir, int64_t kills)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld\n", (long long)kills);
	file_replace(rundir, RUNDIR_OOM, text, 0600);
}

int64_t rundir_read_oom(int rundir)
{
	autobuf struct buf text = BUF_INIT;
	long long kills;

	if (file_read(rundir, RUNDIR_OOM, &text) < 0 || sscanf(text.s, "%lld", &kills) != 1)
		return 0;
	return kills;
}

static char *exit_path(const char *lxcpath, const char *name)
{
	autofree char *parent = rundir_parent_path(lxcpath);

	return parent ? str_printf("%s/" EXITS "%s%s", parent, *name ? "/" : "", name) : NULL;
}

void rundir_keep_exit(const char *lxcpath, const char *name, const struct run_exit *e)
{
	autofree char *path = exit_path(lxcpath, name);
	char text[96];

	snprintf(text, sizeof(text), "%d %lld %lld %d\n", e->status, (long long)time(NULL),
		 (long long)e->oom_kills, e->out_of_memory);
	if (!path || file_replace(AT_FDCWD, path, text, 0600) == 0 || errno != ENOENT)
		return;
	autofree char *dir = exit_path(lxcpath, "");

	if (dir && mkdir(dir, 0700) == 0)
		file_replace(AT_FDCWD, path, text, 0600);
}

bool rundir_read_exit(const char *lxcpath, const char *name, struct run_exit *ret)
{
	autofree char *path = exit_path(lxcpath, name);
	autobuf struct buf text = BUF_INIT;
	long long kills = 0;
	int by_it = 0;

	*ret = (struct run_exit){0};
	if (!path || file_read(AT_FDCWD, path, &text) < 0 ||
	    sscanf(text.s, "%d %lld %lld %d", &ret->status, &ret->when, &kills, &by_it) < 2)
		return false;
	ret->oom_kills = kills;
	ret->out_of_memory = by_it;
	return true;
}

void rundir_forget_exit(const char *lxcpath, const char *name)
{
	autofree char *path = exit_path(lxcpath, name);

	if (path)
		unlink(path);
}
