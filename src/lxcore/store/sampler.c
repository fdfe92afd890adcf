/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What running containers use, looked at again and again.
 *
 * A container is taken apart once: its run directory is found, its journal read, its interfaces asked
 * for.  From then on a round costs a system call for each file that tells a number, and two to know
 * that these files are still the right ones: its supervisor holds its lock, and what it said of its
 * state is its last word.  Both are asked of descriptors, so another container (or another boot) of the
 * same name is not taken for it.  Who comes and goes, one look into the directory of all tells.
 *
 * No more than half of the descriptors that this process may have stay open.  A container whose files
 * do not fit in is looked at by name: they are opened each time, one at a time.  The kernel has a page
 * of memory for each such file that is open: some 40 KiB for a container.
 */
#include "base/fd.h"
#include "base/proc.h"
#include "life/rundir.h"
#include "parts/cgroup/cgroup.h"
#include "parts/network/status.h"
#include "store/store.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/resource.h>

#define OF_RUNDIR 2 /* descriptors of a run directory that stay open */
#define OTHERS 16   /* that a program has, and that a look by name needs for a moment */

struct watched { /* a name that has a run directory */
	char *name;
	bool there;             /* it was seen in this round */
	bool known;             /* what follows is that of a running container */
	struct run_state state; /* what it said then */
	uint64_t boot;
	bool keep;              /* its files stay open */
	int lock, state_file;   /* -1: they do not */
	struct cgroup_meter cgroups;
	struct network_meter network;
};

struct lxcore_sampler {
	char *lxcpath, *pattern;
	struct watched *v; /* by name */
	struct lxcore_sample *samples;
	size_t n;
	size_t may_stay_open; /* that many more descriptors */
	uint64_t boots;       /* that were seen so far */
	struct buf text;
};

static int lacks_descriptors(int code, struct error *err)
{
	return code == EMFILE ? error_mend(err, "ulimit -n 1024      (more open files)") : -1;
}

/* ---- one container ---- */

static size_t descriptors_of(const struct watched *w)
{
	return w->cgroups.n_files + w->network.n_files + OF_RUNDIR;
}

static void forget(lxcore_sampler *s, struct watched *w)
{
	if (!w->known)
		return;
	if (w->keep)
		s->may_stay_open += descriptors_of(w);
	close_fd(&w->lock);
	close_fd(&w->state_file);
	cgroup_meter_close(&w->cgroups);
	network_meter_close(&w->network);
	w->known = w->keep = false;
}

static bool is_same_boot(const struct run_state *a, const struct run_state *b)
{
	return a->supervisor.pid == b->supervisor.pid &&
	       a->supervisor.start == b->supervisor.start && a->boot == b->boot;
}

/* An ordinary user's container may have none: then nothing of this is known. */
static int open_cgroups(struct watched *w, int rundir, struct error *err)
{
	struct cgroup_running at;
	struct journal j;
	int result = 0;

	w->cgroups = (struct cgroup_meter){0};
	if (!journal_load(&j, rundir))
		return error_sys(err, "cannot read its journal");
	if (cgroup_of_running(&j, &at, NULL) == 0 && cgroup_meter_open(&at, &w->cgroups) < 0)
		result = error_sys(err, "cannot look at its cgroup");
	journal_close(&j);
	return result;
}

/* A network that cannot be asked is not told of, and the rest is. */
static int open_meters(struct watched *w, int rundir, struct error *err)
{
	int init = proc_open(w->state.init);

	if (init < 0)
		return error_sys(err, "cannot find its init");
	close_fd(&init);
	if (open_cgroups(w, rundir, err) < 0)
		return -1;
	if (network_meter_open(w->state.init.pid, &w->network, err) == 0 ||
	    !reread_lacked_descriptors(err->code))
		return 0;
	cgroup_meter_close(&w->cgroups);
	return -1;
}

/* Find it by its name.  -1: it does not run, or (EMFILE, ENFILE) it cannot be told. */
static int find(lxcore_sampler *s, struct watched *w, struct error *err)
{
	autoclose int rundir = rundir_open(s->lxcpath, w->name), lock = -1, state_file = -1;
	struct run_state state;

	lock = rundir < 0 ? -1 : rundir_open_lock(rundir);
	if (lock < 0)
		return error_sys(err, "cannot open its run directory");
	if (!rundir_lock_is_held(lock)) {
		/* What a killed supervisor left is put right by opening it. */
		lxcore_close(lxcore_open(s->lxcpath, w->name, NULL));
		return error_set(err, ESRCH, "it is not running");
	}
	state_file = rundir_open_state(rundir);
	if (state_file < 0 || !rundir_parse_state(state_file, &state))
		return error_sys(err, "cannot read its state");
	if (!w->boot || !is_same_boot(&state, &w->state))
		w->boot = ++s->boots;
	w->state = state;
	if (open_meters(w, rundir, err) < 0)
		return -1;
	w->known = true;
	w->keep = descriptors_of(w) <= s->may_stay_open;
	if (w->keep) {
		s->may_stay_open -= descriptors_of(w);
		w->lock = steal_fd(&lock);
		w->state_file = steal_fd(&state_file);
	}
	return 0;
}

/* Is what is known of it still so? */
static bool is_as_before(const lxcore_sampler *s, const struct watched *w)
{
	autoclose int rundir = -1;
	struct run_state state;

	if (!w->known)
		return false;
	if (w->keep)
		return rundir_lock_is_held(w->lock) && rundir_state_is_last(w->state_file);
	rundir = rundir_open(s->lxcpath, w->name);
	return rundir >= 0 && rundir_is_locked(rundir) && rundir_read_state(rundir, &state) &&
	       is_same_boot(&state, &w->state) && state.state == w->state.state;
}

static int measure(lxcore_sampler *s, struct watched *w, struct lxcore_sample *ret,
		   struct error *err)
{
	struct cgroup_stats use;

	*ret = (struct lxcore_sample){.name = w->name, .boot = w->boot};
	if (cgroup_meter_read(&w->cgroups, w->keep, &s->text, &use) < 0 ||
	    network_meter_read(&w->network, w->keep, &s->text, &ret->rx_bytes, &ret->tx_bytes) < 0)
		return error_sys(err, "cannot read what it uses");
	ret->time_us = clock_us();
	ret->use = (struct lxcore_stats){
		.cpu_ns = use.cpu_ns, .memory = use.memory, .swap = use.swap,
		.kernel_memory = use.kernel_memory, .block_io = use.block_io, .pids = use.pids,
		.cpu_user_ns = use.cpu_user_ns, .cpu_system_ns = use.cpu_system_ns,
		.block_ops = use.block_ops, .oom_kills = use.oom_kills,
	};
	return 0;
}

/* 1; 0: it does not run; -1: it cannot be told. */
static int look_at(lxcore_sampler *s, struct watched *w, struct lxcore_sample *ret,
		   struct error *err)
{
	struct error why = {0};

	if (is_as_before(s, w) && measure(s, w, ret, NULL) == 0)
		return 1;
	forget(s, w);
	if (find(s, w, &why) == 0 && measure(s, w, ret, &why) == 0)
		return 1;
	forget(s, w);
	if (!reread_lacked_descriptors(why.code))
		return 0;
	error_set(err, why.code, "%s: %s", w->name, why.text);
	return lacks_descriptors(why.code, err);
}

/* ---- who is there ---- */

static int compare_names(const void *a, const void *b)
{
	const struct watched *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int add(lxcore_sampler *s, const char *name)
{
	struct lxcore_sample *samples = realloc(s->samples, (s->n + 1) * sizeof(*samples));
	struct watched *v = samples ? realloc(s->v, (s->n + 1) * sizeof(*v)) : NULL;
	struct watched fresh = {.there = true, .lock = -1, .state_file = -1};

	s->samples = samples ? samples : s->samples;
	s->v = v ? v : s->v;
	fresh.name = v ? strdup(name) : NULL;
	if (!fresh.name)
		return -1;
	s->v[s->n++] = fresh;
	return 0;
}

static void drop_absent(lxcore_sampler *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].there) {
			s->v[kept++] = s->v[i];
			continue;
		}
		forget(s, &s->v[i]);
		free(s->v[i].name);
	}
	s->n = kept;
}

/* Those that were known are in order; whoever is new is added behind them, and then all are. */
static int find_names(lxcore_sampler *s, struct error *err)
{
	int fd = rundir_open_parent(s->lxcpath, false);
	autodir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	size_t n_known = s->n;
	struct dirent *entry;

	if (!dir && reread_lacked_descriptors(errno)) {
		int code = errno;

		error_sys(err, "cannot list the containers of \"%s\"", s->lxcpath);
		return lacks_descriptors(code, err);
	}
	for (size_t i = 0; i < s->n; i++)
		s->v[i].there = false;
	while (dir && (entry = readdir(dir))) {
		struct watched key = {.name = entry->d_name}, *w;

		if (entry->d_name[0] == '.' ||
		    (s->pattern && fnmatch(s->pattern, entry->d_name, 0) != 0))
			continue;
		w = n_known ? bsearch(&key, s->v, n_known, sizeof(key), compare_names) : NULL;
		if (w)
			w->there = true;
		else if (add(s, entry->d_name) < 0)
			return error_set(err, ENOMEM, "cannot list the containers of \"%s\": out of "
					 "memory", s->lxcpath);
	}
	drop_absent(s);
	if (s->n)
		qsort(s->v, s->n, sizeof(*s->v), compare_names);
	return 0;
}

/* ---- the public face ---- */

lxcore_sampler *lxcore_sampler_open(const char *lxcpath, const char *pattern, lxcore_error *err)
{
	lxcore_sampler *s = calloc(1, sizeof(*s));
	struct rlimit limit = {0};

	if (!s || (pattern && !(s->pattern = strdup(pattern)))) {
		free(s);
		error_set(err, ENOMEM, "cannot watch containers: out of memory");
		return NULL;
	}
	s->lxcpath = store_lxcpath(lxcpath, err);
	if (!s->lxcpath) {
		lxcore_sampler_close(s);
		return NULL;
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	s->may_stay_open = limit.rlim_cur > 2 * OTHERS ? (size_t)limit.rlim_cur / 2 : 0;
	return s;
}

int lxcore_sampler_round(lxcore_sampler *s, const struct lxcore_sample **ret, lxcore_error *err)
{
	int n = 0;

	if (find_names(s, err) < 0)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		int seen = look_at(s, &s->v[i], &s->samples[n], err);

		if (seen < 0)
			return -1;
		n += seen;
	}
	*ret = s->samples;
	return n;
}

void lxcore_sampler_close(lxcore_sampler *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		forget(s, &s->v[i]);
		free(s->v[i].name);
	}
	buf_free(&s->text);
	free(s->v);
	free(s->samples);
	free(s->lxcpath);
	free(s->pattern);
	free(s);
}
