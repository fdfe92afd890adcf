/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Booting a container: its parts, in order, and the walk through their doors.
 *
 * The supervisor and the container's first process talk over one socket while the container is
 * built: 'go' (connected), 'built' with the gifts, 'go' (sealed); then the first process executes
 * init, which closes its end.  Before 'built' the inside may ask for what only the supervisor may do
 * (boot_idmap.c).  Whatever fails inside comes back over it as a struct error.
 */
#include "base/error.h"
#include "life/boot.h"
#include "life/revive.h"
#include "life/rundir.h"
#include "base/fd.h"
#include "base/log.h"
#include "parts/cgroup/cgroup.h"
#include "parts/hooks.h"
#include "parts/idmap.h"
#include "parts/init.h"
#include "parts/namespaces.h"
#include "parts/network/network.h"
#include "parts/parts.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

const struct part *const boot_parts[] = {
	&part_namespaces,       /* which are new, which are shared with others */
	&part_hooks_pre_start,  /* the user's first word; at stop the last: post-stop */
	&part_idmap,            /* who root is on the host */
	&part_resources,        /* how much of this host it may use: put into force by the next */
	&part_cgroup,           /* where its processes are counted, limited and found again */
	&part_network,          /* its interfaces */
	&part_limits,           /* resource limits and settings of its init */
	&part_hooks_pre_mount,
	&part_rootfs,           /* its root filesystem, mounted privately */
	&part_sources,          /* what its caller may reach and its root may not */
	&part_root,             /* from here on the first process is the container's root */
	&part_uts,              /* its name and machine type */
	&part_keyring,
	&part_dev,              /* a fresh /dev */
	&part_mounts,           /* what else is mounted below the root */
	&part_hooks_mount,
	&part_hooks_autodev,
	&part_devices,          /* the nodes in /dev */
	&part_terminals,        /* console and ttys */
	&part_pivot,            /* from here on its root is the root */
	&part_sysctl,
	&part_caps,             /* what its root may still do */
	&part_label,            /* AppArmor, SELinux */
	&part_seccomp,          /* system-call filter */
	&part_hooks_start,      /* the user's word inside */
	&part_init,             /* session, terminal, user, environment of init */
	&part_hooks_start_host, /* the user's last word before init; at stop the first: stop */
	&part_start,            /* keys of those who start containers */
	NULL,
};
#define N_PARTS (ARRAY_SIZE(boot_parts) - 1)

const char *const door_names[N_DOORS] = {
	"check", "prepare", "connect", "enter", "offer", "adopt", "seal", "release",
};

enum step { STEP_GO = 1, STEP_BUILT, STEP_FAILED, STEP_IDMAP };

/* What travels between the two sides; only as much of it as the step needs. */
struct step_message {
	enum step step;
	union {
		struct {
			enum gift gifts[BOOT_MAX_GIFTS];
			unsigned enter_us[N_PARTS];
		} built;
		struct error failed;
		struct boot_idmap_wish idmap;
	};
};

void boot_init(struct boot *b)
{
	*b = (struct boot){
		.std_fds = {-1, -1, -1}, .rundir = -1, .journal = {.fd = -1}, .init_pidfd = -1,
		.supervisor = -1, .cgroup2 = -1, .root = -1, .proc = -1, .dev = -1,
		.console = -1, .listener = -1, .target = "stop", .net_hook = hooks_run_net,
	};
}

void boot_list_sections(struct boot_sections *ret)
{
	size_t n = 0;

	_Static_assert(N_PARTS < ARRAY_SIZE(ret->v), "room for every section");
	for (size_t i = 0; i < N_PARTS; i++)
		if (boot_parts[i]->section)
			ret->v[n++] = boot_parts[i]->section;
	ret->v[n] = NULL;
}

static int (*door_of(const struct part *p, enum door d))(struct boot *, struct error *)
{
	return d == DOOR_PREPARE ? p->prepare : d == DOOR_CONNECT ? p->connect :
	       d == DOOR_ENTER ? p->enter : d == DOOR_OFFER ? p->offer :
	       d == DOOR_ADOPT ? p->adopt : p->seal;
}

bool boot_part_has_door(const struct part *p, enum door d)
{
	return d == DOOR_CHECK ? p->check != NULL : d == DOOR_RELEASE ? p->release != NULL :
	       door_of(p, d) != NULL;
}

static void keep_times(struct boot_timings *t, enum door d, const unsigned *us)
{
	for (size_t i = 0; t && i < N_PARTS; i++)
		if (us[i] && t->n < ARRAY_SIZE(t->v))
			t->v[t->n++] = (struct boot_timing){(unsigned char)i, (unsigned char)d, us[i]};
}

int boot_check(const struct boot *b, struct boot_timings *timings, struct error *err)
{
	unsigned us[N_PARTS] = {0};

	for (size_t i = 0; i < N_PARTS; i++) {
		long long start;

		if (!boot_parts[i]->check)
			continue;
		start = timings ? clock_us() : 0;
		if (boot_parts[i]->check(b, err) < 0)
			return error_within(err, "%s", boot_parts[i]->name);
		if (timings)
			us[i] = (unsigned)(clock_us() - start) + 1;
	}
	keep_times(timings, DOOR_CHECK, us);
	return 0;
}

int boot_write_conf(struct boot *b, struct error *err)
{
	autobuf struct buf text = BUF_INIT;

	if (conf_effective_text(b->conf, &text) < 0)
		return error_set(err, ENOMEM, "cannot write its run directory: out of memory");
	idmap_running_text(b->conf, &text);
	if (text.failed ||
	    file_replace(b->rundir, RUNDIR_CONFIG, text.s ? text.s : "", 0600) < 0)
		return error_sys(err, "cannot write its run directory \"%s\"", b->dir);
	return 0;
}

/*
 * A hook changed the configuration: what it made of it must be as right as what its user wrote, and
 * is what the container runs with.  A reboot begins with what was there before (supervise.c).
 */
static int take_changes(struct boot *b, struct error *err)
{
	b->conf_changed = false;
	if (boot_check(b, NULL, err) < 0)
		return error_within(err, "as a pre-start hook changed the configuration");
	if (renameat(b->rundir, RUNDIR_CONFIG, b->rundir, RUNDIR_CONFIG_WRITTEN) < 0)
		return error_sys(err, "cannot write its run directory \"%s\"", b->dir);
	return boot_write_conf(b, err);
}

/* Walk all parts through one door.  'us' has a place for each part's time, or is NULL. */
static int walk(struct boot *b, enum door d, unsigned *us, struct error *err)
{
	for (size_t i = 0; i < N_PARTS; i++) {
		int (*door)(struct boot *, struct error *) = door_of(boot_parts[i], d);
		long long start;

		if (!door)
			continue;
		start = us ? clock_us() : 0;
		log_write(LOG_DEBUG, boot_parts[i]->name, "%s", door_names[d]);
		if (door(b, err) < 0)
			return error_within(err, "%s", boot_parts[i]->name);
		if (b->conf_changed && take_changes(b, err) < 0)
			return -1;
		if (us)
			us[i] = (unsigned)(clock_us() - start) + 1;
	}
	return 0;
}

int boot_walk(struct boot *b, enum door d, struct boot_timings *t, struct error *err)
{
	unsigned us[N_PARTS] = {0};
	int result = walk(b, d, t ? us : NULL, err);

	keep_times(t, d, us);
	return result;
}

/* ---- inside: the container's first process ---- */

int boot_give(struct boot *b, enum gift what, int fd, struct error *err)
{
	if (b->n_gifts == BOOT_MAX_GIFTS)
		return error_set(err, E2BIG, "cannot hand over more than %d descriptors",
				 BOOT_MAX_GIFTS);
	b->gifts[b->n_gifts].what = what;
	b->gifts[b->n_gifts++].fd = fd;
	return 0;
}

int boot_take(struct boot *b, enum gift what)
{
	for (size_t i = 0; i < b->n_gifts; i++)
		if (b->gifts[i].what == what && b->gifts[i].fd >= 0)
			return steal_fd(&b->gifts[i].fd);
	return -1;
}

void boot_drop_gifts(struct boot *b)
{
	for (size_t i = 0; i < b->n_gifts; i++)
		close_fd(&b->gifts[i].fd);
	b->n_gifts = 0;
}

int boot_idmap(struct boot *b, int tree, const char *users, bool recursive, struct error *err)
{
	struct step_message m = {.step = STEP_IDMAP, .idmap.recursive = recursive};

	if (strlen(users) >= sizeof(m.idmap.users))
		return error_set(err, ENAMETOOLONG, "cannot use \"idmap=%.40s...\"", users);
	strcpy(m.idmap.users, users);
	if (fd_send(b->supervisor, &m, offsetof(struct step_message, idmap) + sizeof(m.idmap), &tree,
		    1) < 0 ||
	    fd_receive(b->supervisor, &m, sizeof(m), NULL, NULL) <= 0)
		return error_set(err, ECHILD, "cannot hear from the supervisor");
	if (m.step == STEP_GO)
		return 0;
	if (err)
		*err = m.failed;
	errno = m.failed.code;
	return -1;
}

static int wait_for_go(int sock)
{
	enum step step;

	return fd_receive(sock, &step, sizeof(step), NULL, NULL) == sizeof(step) && step == STEP_GO;
}

/* The first one may bring the root filesystem's mount along. */
static bool wait_for_root(struct boot *b, int sock)
{
	enum step step;
	int root = -1;
	size_t n = 1;

	if (fd_receive(sock, &step, sizeof(step), &root, &n) != sizeof(step) || step != STEP_GO)
		return false;
	if (n)
		b->root = root;
	return true;
}

static int send_built(struct boot *b, int sock, struct step_message *m)
{
	int fds[BOOT_MAX_GIFTS];

	m->step = STEP_BUILT;
	for (size_t i = 0; i < b->n_gifts; i++) {
		m->built.gifts[i] = b->gifts[i].what;
		fds[i] = b->gifts[i].fd;
	}
	if (fd_send(sock, m, offsetof(struct step_message, built) + sizeof(m->built), fds,
		    b->n_gifts) < 0)
		return -1;
	for (size_t i = 0; i < b->n_gifts; i++)
		close(fds[i]);
	return 0;
}

_Noreturn void boot_fail(int sock, const struct error *err)
{
	struct step_message m = {.step = STEP_FAILED, .failed = *err};

	fd_send(sock, &m, offsetof(struct step_message, failed) + sizeof(m.failed), NULL, 0);
	_exit(1);
}

int boot_say_built(struct boot *b, int sock)
{
	struct step_message m = {0};

	return send_built(b, sock, &m);
}

static _Noreturn void be_first_process(struct boot *b, int sock, bool timed)
{
	struct step_message m = {0};
	struct error err = {0};

	b->supervisor = sock;
	/* Without a supervisor nobody could give the host its things back.  Its death before this
	 * line shows as end of file on the socket. */
	prctl(PR_SET_PDEATHSIG, init_death_signal(b->conf));
	if (!wait_for_root(b, sock))
		_exit(1);
	if (walk(b, DOOR_ENTER, timed ? m.built.enter_us : NULL, &err) == 0 &&
	    (b->proc < 0 || boot_give(b, GIFT_TO_CLOSE, b->proc, &err) == 0)) {
		if (send_built(b, sock, &m) < 0 || !wait_for_go(sock))
			_exit(1);
		init_exec(b, sock, &err);
		error_within(&err, "init");
	}
	boot_fail(sock, &err);
}

/* ---- outside: the supervisor ---- */

static long clone_here(struct clone_args *args, struct error *err)
{
	long pid = syscall(SYS_clone3, args, sizeof(*args));

	return pid < 0 ? error_sys(err, "cannot make the container's first process") : pid;
}

/* What the process between says, in memory that it shares with the supervisor. */
struct between {
	long pid;
	int pidfd;
	struct error error;
};

/*
 * The first process is born in another container's user namespace by a process that has joined it and
 * ends thereupon; as its sibling, so that it is the supervisor's child.  Descriptors are shared
 * meanwhile: the one of the new process is opened there.
 */
static long clone_between(struct boot *b, struct clone_args *args, struct error *err)
{
	struct clone_args between = {.flags = CLONE_FILES, .exit_signal = SIGCHLD};
	struct between *said = mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long pid;

	if (said == MAP_FAILED)
		return error_sys(err, "cannot make the container's first process");
	said->pid = -1;
	pid = clone_here(&between, err);
	if (pid == 0) {
		args->flags |= CLONE_PARENT;
		args->exit_signal = 0; /* as the sibling has it */
		if (namespaces_join_user(b, &said->error) == 0)
			pid = clone_here(args, &said->error);
		else
			pid = -1;
		if (pid == 0)
			return 0;
		said->pidfd = b->init_pidfd;
		said->pid = pid;
		_exit(0);
	}
	if (pid > 0) {
		waitpid((pid_t)pid, NULL, 0);
		pid = said->pid;
		b->init_pidfd = pid < 0 ? -1 : said->pidfd;
		if (pid < 0 && err)
			*err = said->error;
	}
	munmap(said, sizeof(*said));
	return pid;
}

static int clone_first_process(struct boot *b, int sock[2], bool timed, struct error *err)
{
	struct clone_args args = {
		.flags = (b->clone_flags & ~(unsigned long long)(CLONE_NEWCGROUP | CLONE_NEWTIME)) |
			 CLONE_PIDFD | (b->cgroup2 >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uintptr_t)&b->init_pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = b->cgroup2 >= 0 ? (unsigned)b->cgroup2 : 0,
	};
	long pid;

	if (namespaces_arm(b, err) < 0)
		return error_within(err, "namespaces");
	pid = b->shares_user ? clone_between(b, &args, err) : clone_here(&args, err);
	if (pid == 0) {
		close(sock[0]);
		be_first_process(b, sock[1], timed);
	}
	namespaces_disarm(b);
	b->init.pid = pid < 0 ? 0 : (pid_t)pid;
	return pid < 0 ? -1 : 0;
}

/* The next word from inside; -1 with the error that was sent, or one that says it died. */
static int hear(struct boot *b, int sock, struct step_message *m, struct error *err)
{
	int fds[BOOT_MAX_GIFTS];
	size_t n = BOOT_MAX_GIFTS;
	ssize_t got = fd_receive(sock, m, sizeof(*m), fds, &n);

	/* It may have died with something unread. */
	if (got == 0 || (got < 0 && errno == ECONNRESET))
		return 0;
	if (got < 0)
		return error_sys(err, "cannot hear from the container's first process");
	/* From the airlock. */
	if (got == sizeof(int) && (int)m->step < 0) {
		init_exec_failed(b, -(int)m->step, err);
		return error_within(err, "init");
	}
	b->n_gifts = n;
	for (size_t i = 0; i < n; i++) {
		b->gifts[i].what = m->built.gifts[i];
		b->gifts[i].fd = fds[i];
	}
	if (m->step == STEP_FAILED) {
		m->failed.text[sizeof(m->failed.text) - 1] = '\0';
		m->failed.mend[sizeof(m->failed.mend) - 1] = '\0';
		if (err)
			*err = m->failed;
		return -1;
	}
	return 1;
}

int boot_hear(struct boot *b, int sock, struct error *err)
{
	struct step_message m;

	return hear(b, sock, &m, err);
}

/* The same, after granting what the inside asks for meanwhile. */
static int hear_built(struct boot *b, int sock, struct step_message *m, struct error *err)
{
	int heard;

	while ((heard = hear(b, sock, m, err)) > 0 && m->step == STEP_IDMAP) {
		struct step_message answer = {.step = STEP_GO};
		const struct boot_idmap_wish wish = m->idmap;
		size_t size = sizeof(answer.step);

		if (boot_grant_idmap(b, &wish, b->n_gifts ? b->gifts[0].fd : -1, &answer.failed) < 0) {
			answer.step = STEP_FAILED;
			size = offsetof(struct step_message, failed) + sizeof(answer.failed);
		}
		boot_drop_gifts(b);
		if (fd_send(sock, &answer, size, NULL, 0) < 0)
			return 0;
	}
	return heard;
}

static int died_while_building(struct boot *b, struct error *err)
{
	char text[64];
	int status;

	/* Or it cannot be spoken with, which must not make us wait for it. */
	proc_signal(b->init_pidfd, SIGKILL);
	status = proc_reap(b->init_pidfd);
	close_fd(&b->init_pidfd);
	if (cgroup_ran_out_of_memory(b)) {
		error_set(err, ENOMEM, "the container's limit of memory is too small to build it");
		return error_mend(err, "raise lxc.limit.memory (or lxc.cgroup2.memory.max) in its "
				  "configuration");
	}
	return error_set(err, ECHILD, "the container's first process ended while it was built: %s",
			 proc_status_text(status, text));
}

static int build(struct boot *b, int sock, struct boot_timings *t, struct error *err)
{
	const enum step go = STEP_GO;
	struct step_message m;
	int heard;

	if (boot_walk(b, DOOR_CONNECT, t, err) < 0)
		return -1;
	if (fd_send(sock, &go, sizeof(go), &b->root, b->root >= 0) < 0)
		return died_while_building(b, err);
	close_fd(&b->root);
	/* While the inside builds, on the other processor: */
	b->init.start = proc_start_time(b->init.pid);
	heard = hear_built(b, sock, &m, err);
	if (heard == 0)
		return died_while_building(b, err);
	if (heard < 0)
		return -1;
	keep_times(t, DOOR_ENTER, m.built.enter_us);
	if (boot_walk(b, DOOR_SEAL, t, err) < 0)
		return -1;
	if (fd_send(sock, &go, sizeof(go), NULL, 0) < 0)
		return died_while_building(b, err);
	return hear(b, sock, &m, err) < 0 ? -1 : 0;
}

static void give_up(struct boot *b)
{
	struct release r = {
		.name = b->name, .lxcpath = b->lxcpath, .dir = b->dir, .rundir = b->rundir,
		.conf = b->conf, .target = "stop", .boot = b, .init = b->init, .stays = b->stays,
	};
	struct journal j;

	if (b->init_pidfd >= 0) {
		proc_signal(b->init_pidfd, SIGKILL);
		proc_reap(b->init_pidfd);
		close_fd(&b->init_pidfd);
	}
	boot_drop_gifts(b);
	journal_load(&j, b->rundir);
	r.journal = &j;
	boot_release(&r);
	journal_close(&j);
}

/* The first process is made, and makes itself an init. */
static int be_born(struct boot *b, struct boot_timings *timings, struct error *err)
{
	int sock[2] = {-1, -1}, result;

	if (fd_socketpair(sock) < 0)
		return error_sys(err, "cannot make a socket for the first process");
	result = clone_first_process(b, sock, timings != NULL, err);
	close_fd(&sock[1]);
	close_fd(&b->cgroup2);
	if (result == 0)
		result = build(b, sock[0], timings, err);
	close_fd(&sock[0]);
	return result;
}

int boot_up(struct boot *b, struct boot_timings *timings, struct error *err)
{
	int result = boot_walk(b, DOOR_PREPARE, timings, err);

	if (result == 0 && !network_wants_namespace(b->conf))
		b->clone_flags &= ~(unsigned long long)CLONE_NEWNET;
	if (result == 0)
		result = b->revival ? revive(b, timings, err) : be_born(b, timings, err);
	if (result < 0)
		give_up(b);
	return result;
}

void boot_release(const struct release *release)
{
	struct release r = *release;

	r.net_hook = hooks_run_net;
	r.as_root = r.conf && idmap_of(r.conf)->n ? idmap_as_root : NULL;
	for (size_t i = N_PARTS; i-- > 0;)
		if (boot_parts[i]->release)
			boot_parts[i]->release(&r);
	revive_release(&r);
}
