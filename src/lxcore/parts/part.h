/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a part of a container is, and what the parts share while a container boots.
 *
 * A container is a list of parts (life/boot.c has it).  Booting checks, prepares, connects, enters
 * and seals each part in the order of the list; stopping releases each in reverse.  Every door is
 * optional.  A part includes no other part: what one makes for another goes through struct boot.
 */
#ifndef LXCORE_PARTS_PART_H
#define LXCORE_PARTS_PART_H

#include "base/error.h"
#include "base/journal.h"
#include "base/proc.h"
#include "config/conf.h"

#include <stdbool.h>
#include <sys/types.h>

struct boot;
struct release;

struct part {                               /* one thing that a container has */
	const char *name;                   /* "network": prefixes every error of this part */
	const struct conf_section *section; /* its configuration keys, declared beside it; or NULL */
	/* The caller, before any process is born: compare settings with each other and this host.
	 * No side effects. */
	int (*check)(const struct boot *, struct error *);
	/* Supervisor, before the container exists: claim host resources (journal first). */
	int (*prepare)(struct boot *, struct error *);
	/* Supervisor; the container's first process exists in its namespaces and waits. */
	int (*connect)(struct boot *, struct error *);
	/* That first process, on its way to init. */
	int (*enter)(struct boot *, struct error *);
	/* A container that goes on from a checkpoint has these two instead of connect and enter, for
	 * criu makes its processes.  The restorer, which becomes criu, in a mount namespace of its own:
	 * make what criu is to find, and add to b->revival what it has to be told. */
	int (*offer)(struct boot *, struct error *);
	/* Supervisor; criu has made the processes: take what is theirs. */
	int (*adopt)(struct boot *, struct error *);
	/* Supervisor; the inside is built, init is about to run. */
	int (*seal)(struct boot *, struct error *);
	/* Supervisor at stop, or a rescuer after a crash: give back what the journal names.  Safe to
	 * repeat; must not wait without a limit. */
	void (*release)(const struct release *);
};

/* Descriptors that the inside makes and the supervisor keeps; sent once, after the last enter. */
enum gift {
	GIFT_CONSOLE,        /* pty master of /dev/console */
	GIFT_TTY,            /* pty master of /dev/ttyN, given in the order of N */
	GIFT_SECCOMP_NOTIFY, /* listener of the seccomp filter */
	GIFT_DEVPTS,         /* the devpts mount */
	GIFT_TO_CLOSE,       /* a mount that is nowhere attached: its last close waits for the whole
	                      * machine (an RCU grace period), which must not delay init */
};
#define BOOT_MAX_GIFTS 60

/* What a container may be shown of the host's cgroups (mount.auto = cgroup...). */
struct cgroup_view {
	bool unified; /* one v2 hierarchy on /sys/fs/cgroup itself and nothing else: n is 1 */
	bool own_ns;  /* it has a cgroup namespace, unshared in the cgroup part's enter: a fresh
	               * mount of a hierarchy there shows the container's own cgroup as root */
	size_t n;
	struct cgroup_view_hierarchy {
		/* Name below /sys/fs/cgroup of its mount point on the host, and the one to give it
		 * inside: "cpu", "cpu,cpuacct" (symbolic links "cpu", "cpuacct" point to it there),
		 * "systemd", "unified"; "" when 'unified'. */
		const char *dir;
		/* For mount(2) with type cgroup: "cpu,cpuacct", "none,name=systemd".  NULL: it is
		 * the v2 hierarchy, type cgroup2, no options. */
		const char *options;
		/* The container's cgroup below the hierarchy's mount point, without leading '/':
		 * "lxc.payload.web".  On the host it is /sys/fs/cgroup/DIR/PAYLOAD. */
		const char *payload;
	} v[];
};

/*
 * The hooks of an interface are the network's moments and the hooks part's doing: life/ hands the one
 * to the other.  'value' is a Lua file of script.up or script.down, or NULL: what the modules of
 * lxc.hook.lua have for "net-up" and "net-down".
 */
struct net_hook {
	const struct conf *conf;
	const char *name, *lxcpath, *moment, *value;
	const struct strv *env, *words;
	pid_t pid; /* of init; 0: unknown */
	struct hooks_boot *hooks; /* of the boot, or NULL */
};
typedef int (*net_hook_run)(const struct net_hook *, struct error *);

/* A checkpoint that a boot goes on from (life/checkpoint.h). */
struct revival {
	char *dir;                 /* with criu's images; NULL: none */
	unsigned long long devpts; /* device (st_dev) of the devpts that it had; 0: none */
	struct strv words;         /* criu's command line */
};
#define REVIVAL_PTS "lxc.pts" /* what criu calls that devpts, and with ".N" its terminal N */

struct boot {
	/* Who boots, and how: filled by life/ before the first door. */
	const char *name, *lxcpath;
	struct conf *conf;
	char *const *command; /* replaces lxc.init.cmd; NULL: the configured one */
	bool execute;         /* 'command' runs under our own small init (lxc-execute) */
	bool foreground;
	int std_fds[3];       /* the command's stdin, stdout, stderr as they are; -1: the console */
	const char *dir;      /* run directory as a path, for messages and hooks */
	int rundir;           /* run directory, 0700, ours alone */
	struct journal journal;
	const char *target;   /* LXC_TARGET of the stop to come: "stop" or "reboot" */
	struct revival *revival; /* NULL: it starts from its init */
	bool stays;           /* when this boot fails another one follows, as at a reboot */

	/* The first process: set by boot.c between prepare and connect. */
	struct proc_id init;
	int init_pidfd;
	int supervisor; /* inside only: the socket to it, while the inside is built */

	/* namespaces -> boot.c: what clone3 shall make new (boot.c itself
	 * leaves out CLONE_NEWCGROUP, which the cgroup part unshares once it joined, and CLONE_NEWTIME,
	 * which namespaces_arm() unshares just before the clone) */
	unsigned long long clone_flags;
	/* cgroup -> boot.c: the v2 directory that the first process is born in; -1: none */
	int cgroup2;
	/* cgroup -> mounts: the hierarchies and where the container is in them; from prepare on,
	 * inside as well; NULL: the container has no cgroup of its own */
	const struct cgroup_view *cgroup_view;
	/* idmap -> all: ids on the host of the container's uid 0 and gid 0 (0 without a user
	 * namespace); whether there is one */
	bool userns;
	uid_t root_uid;
	gid_t root_gid;
	/* idmap -> all, supervisor of an ordinary user: do something in a child that is root of the
	 * container's ids and may do what the user may; its result, below 0 with the error */
	int (*as_root)(const struct boot *b, int (*act)(void *data, struct error *err), void *data,
		       struct error *err);

	/* rootfs -> those that build the view; inside only.  Descriptor of the mounted root: O_PATH;
	 * 'has_rootfs' false: the container shares the host's tree and nothing is pivoted.  Until
	 * connect also the supervisor's: what it mounted itself, to be put in its place inside; what
	 * it has open after that goes inside with the word to go on. */
	bool has_rootfs;
	int root;
	const char *root_mount; /* where it is mounted (LXC_ROOTFS_MOUNT), until the pivot */
	/* inside only: a procfs of the container's own pid namespace, an O_PATH descriptor of its
	 * root that no mount of the container can cover; -1 before rootfs made it */
	int proc;

	/* dev -> devices, terminals; inside only: O_PATH descriptor of the container's /dev */
	int dev;

	/* terminals -> init; inside only: the open slave of /dev/console; -1: none */
	int console;
	/* terminals -> init; inside only: value of the variable container_ttys ("pts/1 pts/2"),
	 * owned; NULL: not to be set */
	char *container_ttys;

	/* What the inside gives to the supervisor. */
	struct {
		enum gift what;
		int fd;
	} gifts[BOOT_MAX_GIFTS];
	size_t n_gifts;

	net_hook_run net_hook; /* boot.c -> network */
	/* hooks -> boot.c: a pre-start hook changed the configuration of this boot */
	bool conf_changed;

	/* Environment that hooks get besides the caller's ("NAME=VALUE"); life/ and parts add. */
	struct strv hook_env;

	/* Private states of parts between their doors; each part allocates and frees its own. */
	struct cgroup_boot *cgroup;
	struct network_boot *network;
	struct terminals_boot *terminals;
	struct rootfs_boot *rootfs;
	struct seccomp_filter *seccomp;
	int listener; /* seccomp -> life: of the filter, from seal on; -1: none */
	struct namespaces_boot *namespaces;
	bool shares_user; /* namespaces -> idmap, boot.c: its user namespace is another container's */
	struct hooks_boot *hooks;
	bool apparmor; /* label: from prepare on, there is a profile to be taken */
	bool apparmor_stacks; /* label: and below it the container has a namespace of policies */
	/* init -> hooks: our small init and airlock, a sealed memory file; 0: none */
	int own_init;
};

/* What 'release' works from.  'conf' is the configuration of that boot, or NULL when a rescuer
 * cannot read it any more; then the journal alone must do. */
struct release {
	const char *name, *lxcpath, *dir;
	int rundir;
	const struct journal *journal;
	const struct conf *conf;
	const char *target; /* "stop" or "reboot" */
	bool stays;         /* another boot follows: what is claimed for all of them is kept */
	bool rescue;        /* the supervisor is gone; it is not its own release */
	struct proc_id init; /* pid 0: it was never born; the process itself is dead by now */
	struct boot *boot; /* the live state, NULL for a rescuer */
	net_hook_run net_hook; /* set by boot_release() */
	/* Set by boot_release(), where the container has ids of its own and 'conf' is known: as in
	 * struct boot. */
	int (*as_root)(const struct conf *conf, int (*act)(void *data, struct error *err),
		       void *data, struct error *err);
};

/* Inside: give a descriptor to the supervisor.  Supervisor (seal): take the next one of a kind, -1
 * when there is none. */
int boot_give(struct boot *b, enum gift what, int fd, struct error *err);
int boot_take(struct boot *b, enum gift what);
/* Supervisor, when nobody waits any more: close what no part took. */
void boot_drop_gifts(struct boot *b);

/*
 * Mount option 'idmap=USERS': the files of a mount have the owners that a user namespace maps them to,
 * the container's ("container") or that of the path USERS.  boot_can_idmap() is for check doors;
 * boot_idmap() is inside: it has the supervisor, whose rights over the filesystem that takes, do it to
 * a detached mount.
 */
/* Supervisor, when the first process exists: a descriptor of that user namespace. */
int boot_open_users(const struct boot *b, const char *users, struct error *err);
int boot_can_idmap(const struct boot *b, const char *users, struct error *err);
int boot_idmap(struct boot *b, int tree, const char *users, bool recursive, struct error *err);

#endif
