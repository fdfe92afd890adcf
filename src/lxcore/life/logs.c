/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container printed on its console: from its log (lxc.console.logfile), which may have been
 * renamed at its limit, or from the buffer in its supervisor (lxc.console.buffer.size).
 */
#include "base/error.h"
#include "base/fd.h"
#include "life/container.h"
#include "life/control.h"
#include "life/log_times.h"
#include "parts/terminals.h"

#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define PART 65536
#define LOOK_MS 250  /* how often a buffer is asked for more, and a file without notification */
#define WATCH_MS 1000 /* a file that is watched is looked at all the same (network filesystems) */

/* FILE.1 and FILE. */
enum { OLD, NEW };

struct log {
	char *path;
	int fd; /* -1: it is not there */
	struct log_times times;
};

struct reader {
	struct lxcore_container *c;
	const struct lxcore_logs *how;
	struct log logs[2];
	int which;
	uint64_t offset;
	bool ended; /* 'show' wants no more */

	/* Of a buffer. */
	uint64_t total;            /* bytes printed in all, as of the last time */
	struct proc_id supervisor; /* whose */
};

/* ---- files ---- */

static int open_log(struct log *l, struct error *err)
{
	struct stat st;

	l->fd = open(l->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (l->fd < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot read \"%s\" "
						       "(lxc.console.logfile)", l->path);
	if (fstat(l->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close_fd(&l->fd);
		return error_set(err, EINVAL, "cannot read \"%s\" (lxc.console.logfile): it is no file",
				 l->path);
	}
	log_times_open(&l->times, l->path);
	return 0;
}

static void close_log(struct log *l)
{
	close_fd(&l->fd);
	log_times_close(&l->times);
}

static uint64_t size_of(const struct log *l)
{
	struct stat st;

	return l->fd >= 0 && fstat(l->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* ---- where to begin ---- */

static int no_times(const struct reader *r, struct error *err)
{
	error_set(err, ENODATA, "cannot tell what was printed since then: not all of \"%s\" has times",
		  r->logs[NEW].path);
	return error_mend(err, "lxc-logs -n %s --tail=100      (times are kept in \"%s.times\" from "
			  "the next start on)", r->c->name, r->logs[NEW].path);
}

static int begin_since(struct reader *r, struct error *err)
{
	bool whole;

	r->which = NEW;
	if (!log_times_since(&r->logs[NEW].times, r->how->since_ms, size_of(&r->logs[NEW]),
			     &r->offset, &whole))
		return no_times(r, err);
	if (!whole || r->logs[OLD].fd < 0)
		return 0;
	r->which = OLD;
	return log_times_since(&r->logs[OLD].times, r->how->since_ms, size_of(&r->logs[OLD]),
			       &r->offset, &whole) ? 0 : no_times(r, err);
}

/* Is its last line cut off, to be continued in the next file? */
static bool is_cut(const struct log *l)
{
	uint64_t size = size_of(l);
	char last;

	return size && pread(l->fd, &last, 1, (off_t)size - 1) == 1 && last != '\n';
}

/* Go back over lines: where the last 'left' ones begin; those that are not there stay in 'left'.
 * 'begins': a line begins at 'from'. */
static uint64_t back_over(const struct log *l, uint64_t from, bool begins, long *left)
{
	char part[PART];
	uint64_t at = l->fd < 0 ? 0 : size_of(l), end = at;

	while (at > from) {
		size_t n = at - from < PART ? (size_t)(at - from) : PART;
		ssize_t got = pread(l->fd, part, n, (off_t)(at - n));

		if (got <= 0)
			return at;
		for (ssize_t i = got - 1; i >= 0; i--) {
			uint64_t here = at - n + (uint64_t)i;

			/* The newline that ends the last line begins none. */
			if (part[i] == '\n' && here + 1 < end && --*left == 0)
				return here + 1;
		}
		at -= n;
	}
	if (end > from && begins)
		--*left;
	return from;
}

static void begin_tail(struct reader *r)
{
	long left = r->how->tail;
	uint64_t least = r->which == NEW ? r->offset : 0, at;

	if (left == 0) {
		r->which = NEW;
		r->offset = size_of(&r->logs[NEW]);
		return;
	}
	at = back_over(&r->logs[NEW], least, r->which == NEW || !is_cut(&r->logs[OLD]), &left);
	if (r->which == OLD && left > 0) {
		r->offset = back_over(&r->logs[OLD], r->offset, true, &left);
		return;
	}
	r->which = NEW;
	r->offset = at;
}

static int begin(struct reader *r, struct error *err)
{
	r->which = r->logs[OLD].fd >= 0 ? OLD : NEW;
	if (r->how->since_ms >= 0 && begin_since(r, err) < 0)
		return -1;
	if (r->how->tail >= 0)
		begin_tail(r);
	return 0;
}

/* ---- showing ---- */

static void show(struct reader *r, const char *bytes, size_t n, int64_t when)
{
	if (!r->ended && !r->how->show(r->how->data, bytes, n, when))
		r->ended = true;
}

/* From where it stands to the end of the file as it is now. */
static int show_log(struct reader *r, struct log *l, struct error *err)
{
	char part[PART];
	ssize_t n = 0;

	log_times_refresh(&l->times);
	while (!r->ended && (n = pread(l->fd, part, sizeof(part), (off_t)r->offset)) > 0) {
		for (ssize_t at = 0; at < n && !r->ended;) {
			uint64_t until;
			int64_t when = log_times_at(&l->times, r->offset, &until);
			size_t rest = (size_t)(n - at);

			if (until - r->offset < rest)
				rest = (size_t)(until - r->offset);
			show(r, part + at, rest, when);
			at += (ssize_t)rest;
			r->offset += rest;
		}
	}
	return n < 0 ? error_sys(err, "cannot read \"%s\"", l->path) : 0;
}

static int show_logs(struct reader *r, struct error *err)
{
	if (r->which == OLD) {
		if (show_log(r, &r->logs[OLD], err) < 0)
			return -1;
		r->which = NEW;
		r->offset = 0;
	}
	return r->logs[NEW].fd < 0 ? 0 : show_log(r, &r->logs[NEW], err);
}

/* ---- following ---- */

static int watch_dir(const char *path)
{
	autofree char *dir = strdup(path);
	autoclose int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (!dir || fd < 0)
		return -1;
	*(strrchr(dir, '/') == dir ? dir + 1 : strrchr(dir, '/')) = '\0';
	return inotify_add_watch(fd, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0 ? -1 : steal_fd(&fd);
}

static void wait_for_more(int watch)
{
	struct pollfd p = {.fd = watch, .events = POLLIN};
	char events[4096];

	poll(&p, 1, watch < 0 ? LOOK_MS : WATCH_MS);
	while (watch >= 0 && read(watch, events, sizeof(events)) > 0)
		;
}

/* Another file has its name now: that was renamed. */
static bool is_turned(const struct log *l)
{
	struct stat mine, now;

	return fstat(l->fd, &mine) == 0 && lstat(l->path, &now) == 0 &&
	       (mine.st_ino != now.st_ino || mine.st_dev != now.st_dev);
}

/* What it was renamed to, unless that was renamed over it since: then it was missed, and is shown. */
static int show_missed(struct reader *r, const struct stat *seen, struct error *err)
{
	struct log *old = &r->logs[OLD];
	struct stat st;
	int result = 0;

	close_log(old);
	if (open_log(old, err) < 0)
		return -1;
	r->offset = 0;
	if (old->fd >= 0 && fstat(old->fd, &st) == 0 &&
	    (st.st_ino != seen->st_ino || st.st_dev != seen->st_dev))
		result = show_log(r, old, err);
	close_log(old);
	return result;
}

static int leave_turned(struct reader *r, struct log *l, struct error *err)
{
	struct stat seen;
	int result;

	/* Nothing is added to it any more. */
	if (fstat(l->fd, &seen) < 0 || show_log(r, l, err) < 0)
		return -1;
	result = show_missed(r, &seen, err);
	close_log(l);
	return result;
}

/* It is shorter than it was; or its times began anew, for it may have grown again since. */
static bool is_emptied(struct log *l, uint64_t offset)
{
	bool shorter = size_of(l) < offset, anew = log_times_anew(&l->times, l->path);

	if (shorter || anew || l->times.fd < 0) {
		log_times_close(&l->times);
		log_times_open(&l->times, l->path);
	}
	return shorter || (anew && l->times.n && l->times.v[0].offset == 0);
}

static int look_again(struct reader *r, struct error *err)
{
	struct log *l = &r->logs[NEW];

	if (l->fd >= 0 && is_turned(l) && leave_turned(r, l, err) < 0)
		return -1;
	if (l->fd < 0) {
		r->offset = 0;
		if (open_log(l, err) < 0)
			return -1;
	}
	if (l->fd >= 0 && is_emptied(l, r->offset))
		r->offset = 0;
	return l->fd < 0 ? 0 : show_log(r, l, err);
}

static int follow(struct reader *r, struct error *err)
{
	autoclose int watch = watch_dir(r->logs[NEW].path);
	int result = 0;

	while (result == 0 && !r->ended) {
		result = look_again(r, err);
		show(r, "", 0, -1);
		if (result == 0 && !r->ended)
			wait_for_more(watch);
	}
	return result;
}

/* Not while one is renamed to the other: it would be both. */
static int open_both(struct reader *r, struct error *err)
{
	for (int tries = 0; tries < 8; tries++) {
		close_log(&r->logs[NEW]);
		close_log(&r->logs[OLD]);
		if (open_log(&r->logs[NEW], err) < 0 || open_log(&r->logs[OLD], err) < 0)
			return -1;
		if (r->logs[NEW].fd < 0 || !is_turned(&r->logs[NEW]))
			break;
	}
	return 0;
}

static int read_file(struct reader *r, const char *path, struct error *err)
{
	r->logs[NEW].path = strdup(path);
	r->logs[OLD].path = str_printf("%s.1", path);
	if (!r->logs[NEW].path || !r->logs[OLD].path)
		return error_set(err, ENOMEM, "out of memory");
	if (open_both(r, err) < 0)
		return -1;
	if (r->logs[NEW].fd < 0 && r->logs[OLD].fd < 0 && !r->how->follow) {
		error_set(err, ENOENT, "nothing was logged yet: there is no \"%s\"", path);
		return error_mend(err, "lxc-start -n %s", r->c->name);
	}
	if (begin(r, err) < 0 || show_logs(r, err) < 0)
		return -1;
	return r->how->follow ? follow(r, err) : 0;
}

/* ---- the buffer ---- */

/* What is new in it.  1: it does not run. */
static int ask_buffer(struct reader *r, struct buf *text, struct error *err)
{
	struct control_request rq = {.what = CONTROL_LOG};
	autorunning struct running run = {.rundir = -1, .init_pidfd = -1};
	autoclose int copy = -1, connection = -1;
	uint64_t now;
	int size;

	if (lxcore_state(r->c) == LXCORE_STOPPED || running_find(r->c, &run, NULL) < 0)
		return 1;
	if (memcmp(&run.state.supervisor, &r->supervisor, sizeof(r->supervisor)) != 0)
		r->total = 0;
	r->supervisor = run.state.supervisor;
	rq.b = r->total ? (int)(r->total & INT32_MAX) : -1;
	connection = control_ask(run.rundir, &rq, &size, &copy, err);
	if (connection < 0)
		return lxcore_state(r->c) == LXCORE_STOPPED ? 1 : -1;
	if (copy < 0)
		return 0;
	/* In front of the bytes, where who reads on does not meet it. */
	if (pread(copy, &now, sizeof(now), 0) != sizeof(now) ||
	    fd_read_all(copy, text, (size_t)size) < 0)
		return error_sys(err, "cannot read its console's output");
	/* What was shown before. */
	if (r->total && now - r->total < text->len) {
		size_t seen = text->len - (size_t)(now - r->total);

		memmove(text->s, text->s + seen, text->len - seen);
		text->len -= seen;
	}
	r->total = now;
	return 0;
}

static size_t skip_to_tail(const struct buf *text, long lines)
{
	size_t at = text->len;

	if (lines == 0)
		return text->len;
	while (at > 0) {
		if (text->s[at - 1] == '\n' && at < text->len && --lines == 0)
			return at;
		at--;
	}
	return 0;
}

static int read_buffer(struct reader *r, struct error *err)
{
	bool first = true;

	if (r->how->since_ms >= 0) {
		error_set(err, ENODATA, "cannot tell what was printed since then: a buffer "
			  "(lxc.console.buffer.size) has no times");
		return error_mend(err, "lxc.console.logfile = FILE      (keeps times beside the log)");
	}
	do {
		autobuf struct buf text = BUF_INIT;
		int gone = ask_buffer(r, &text, err);
		size_t skipped = first && r->how->tail >= 0 ? skip_to_tail(&text, r->how->tail) : 0;

		if (gone < 0)
			return -1;
		if (gone && !r->how->follow) {
			error_set(err, ESRCH, "its output was kept in memory, and it does not run");
			return error_mend(err, "lxc.console.logfile = FILE      (keeps it in a file)");
		}
		first = false;
		if (text.len > skipped)
			show(r, text.s + skipped, text.len - skipped, -1);
		if (!r->how->follow)
			return 0;
		show(r, "", 0, -1);
		if (!r->ended)
			wait_for_more(-1);
	} while (!r->ended);
	return 0;
}

/* ---- the door ---- */

static int not_kept(const struct reader *r, struct error *err)
{
	error_set(err, ENODATA, "what it prints on its console is not kept");
	error_mend(err, "lxc.console.logfile = FILE            (in a file, for good, with times)\n"
		   "lxc.console.buffer.size = auto        (in memory, while it runs)\n"
		   "in its configuration, then lxc-restart -n %s; lxc-console -n %s -t 0 shows what it "
		   "prints now", r->c->name, r->c->name);
	return -1;
}

static int read_it(struct reader *r, const struct conf *conf, struct error *err)
{
	const struct terminals_conf *t = terminals_conf_of(conf);

	if (t->console_logfile)
		return read_file(r, t->console_logfile, err);
	return t->console_buffer_size ? read_buffer(r, err) : not_kept(r, err);
}

/* As it was started, where it runs. */
static struct conf *conf_now(struct lxcore_container *c, struct error *err)
{
	autorunning struct running run = {.rundir = -1, .init_pidfd = -1};

	if (lxcore_state(c) == LXCORE_STOPPED || running_find(c, &run, NULL) < 0)
		return NULL;
	return container_running_conf(c, run.rundir, err);
}

int lxcore_logs(lxcore_container *c, const struct lxcore_logs *how, lxcore_error *err)
{
	struct reader r = {.c = c, .how = how, .logs = {
		{.fd = -1, .times = LOG_TIMES_NONE}, {.fd = -1, .times = LOG_TIMES_NONE}}};
	struct conf *running = conf_now(c, NULL), *conf = running;
	int result = -1;

	if (!conf && !lxcore_is_defined(c)) {
		error_set(err, ENOENT, "there is no such container in \"%s\"", c->lxcpath);
		error_mend(err, "lxc-ls -P %s      (shows those that there are)", c->lxcpath);
		return error_within(err, "%s", c->name);
	}
	if (!conf)
		conf = container_conf(c, err);
	if (conf)
		result = read_it(&r, conf, err);
	for (int i = 0; i < 2; i++) {
		close_log(&r.logs[i]);
		free(r.logs[i].path);
	}
	conf_free(running);
	return result < 0 ? error_within(err, "%s", c->name) : 0;
}
