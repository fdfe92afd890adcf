/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxcore.h - system containers: the public face of liblxcore.
 *
 * Whatever an lxc-* tool does, a program can do through this header, with the same errors.
 *
 * Conventions.  A function that can fail returns 0 (or a count, or a descriptor) on success and -1
 * on failure, and fills the error that it was given (NULL: not wanted).  Strings that a function
 * hands out through 'char **ret_...' belong to the caller: free(3).  Every descriptor is
 * close-on-exec.  Times are in seconds unless a name says otherwise; a timeout of -1 means 'for
 * ever', 0 'do not wait'.  Nothing here prints, exits, changes the working directory, the
 * environment or signal handlers of the caller.  An object must not be used by two threads at once;
 * different objects may.
 */
#ifndef LXCORE_H
#define LXCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LXCORE_API __attribute__((visibility("default")))

/* ---- errors ---------------------------------------------------------------------------------- */

#ifdef LXCORE_BASE_ERROR_H /* inside the library it is base/error.h's */
typedef struct error lxcore_error;
#else
typedef struct lxcore_error lxcore_error;
#endif

LXCORE_API lxcore_error *lxcore_error_new(void);
LXCORE_API void lxcore_error_free(lxcore_error *err);
/* The chain of words: "web: network: bridge "lxcbr0" does not exist (lxc.net.0.link)"; "" if none. */
LXCORE_API const char *lxcore_error_text(const lxcore_error *err);
/* What mends it, lines separated by '\n'; "" when unknown. */
LXCORE_API const char *lxcore_error_mend(const lxcore_error *err);
/*
 * What kind of failure: an errno value.  ENOENT: no such container; EEXIST: there is one already;
 * ESRCH: it is not running; EBUSY: it is running, or another operation holds it; ETIMEDOUT: a wait
 * reached its limit; EPERM, EACCES: no privilege; EINVAL: bad input; ENOTSUP: not supported here.
 */
LXCORE_API int lxcore_error_code(const lxcore_error *err);
/* For callbacks that fill one (work() of a fleet); 'mend' may be NULL.  Always -1. */
LXCORE_API int lxcore_error_set(lxcore_error *err, int code, const char *text, const char *mend);

/* ---- the program ------------------------------------------------------------------------------ */

LXCORE_API const char *lxcore_version(void);
/* Items of lxc.conf(5): "lxc.lxcpath", "lxc.default_config" ...; *ret NULL when unset. */
LXCORE_API int lxcore_global(const char *item, char **ret, lxcore_error *err);
/* Names of the items, ended by NULL; static. */
LXCORE_API const char *const *lxcore_global_items(void);
/* Where things were installed: "templates", "config", "hooks", "rootfs-mount", "run", "libexec",
 * "sysconf", "log", "state". */
LXCORE_API const char *lxcore_install_dir(const char *which);

/*
 * Log to a file.  Level is a name (TRACE DEBUG INFO NOTICE WARN ERROR CRIT ALERT FATAL, any case).
 * 'program' and 'container' stand in each line; they and 'file' are copied.
 */
LXCORE_API int lxcore_log_open(const char *file, const char *level, const char *program,
			       const char *container, lxcore_error *err);

/*
 * Every configuration key, for help, manuals and completion.  A family whose members are known is
 * followed by these: 'lxc.net.' with member "type" stands for lxc.net.N.type.
 */
struct lxcore_key {
	const char *name;    /* a family ends in a dot */
	const char *member;  /* NULL: this is the key itself */
	const char *syntax, *preset, *summary; /* preset may be NULL */
	const char *section; /* the part that owns it */
	const char *unsupported; /* why it is refused for now; NULL: it works */
};
/* Walk: begin with *state = 0; false at the end. */
LXCORE_API bool lxcore_next_key(size_t *state, struct lxcore_key *ret);

/* ---- a container ------------------------------------------------------------------------------ */

typedef struct lxcore_container lxcore_container;

/*
 * A handle for container 'name' below 'lxcpath' (NULL: lxc.lxcpath).  The container need not exist.
 * Its configuration is read when it is first needed, so that info, stop and list work with one that
 * does not parse.  Leftovers of an operation or supervisor that was killed are put right first.
 * NULL on failure (a bad name, memory).
 */
LXCORE_API lxcore_container *lxcore_open(const char *lxcpath, const char *name, lxcore_error *err);
LXCORE_API void lxcore_close(lxcore_container *c);
LXCORE_API const char *lxcore_name(const lxcore_container *c);
LXCORE_API const char *lxcore_path(const lxcore_container *c);
/* It has a configuration file. */
LXCORE_API bool lxcore_is_defined(lxcore_container *c);

/* ---- configuration ---------------------------------------------------------------------------- */

/* Use another file instead of the stored configuration; what was loaded is forgotten. */
LXCORE_API int lxcore_load(lxcore_container *c, const char *file, lxcore_error *err);
/* Set for this handle's next start only (lxc-start --define). 'origin' names it in errors. */
LXCORE_API int lxcore_define(lxcore_container *c, const char *key, const char *value,
			     const char *origin, lxcore_error *err);
/* Set or clear in the text, to be kept with lxcore_save.  An empty value clears. */
LXCORE_API int lxcore_set(lxcore_container *c, const char *key, const char *value,
			  lxcore_error *err);
LXCORE_API int lxcore_unset(lxcore_container *c, const char *key, lxcore_error *err);
LXCORE_API int lxcore_save(lxcore_container *c, const char *file, lxcore_error *err);
/*
 * The value as text; lists have a line each.  *ret "" when unset.  EINVAL: no such key.  'running'
 * true asks for the value that the running container was started with (ESRCH when none runs).
 */
LXCORE_API int lxcore_get(lxcore_container *c, const char *key, bool running, char **ret,
			  lxcore_error *err);
/*
 * Bring a configuration file up to date: keys that had other names before LXC 3 get those of today.
 * All else stays as it was written.
 */
struct lxcore_config_change {
	unsigned line;         /* of the old text; 0: the end of the list */
	const char *was, *now; /* 'now' NULL: the line went, for it has no meaning any more; or: */
	const char *unknown;   /* not NULL: no key that is known; the line stays */
};
struct lxcore_config_update {
	char *file;    /* that it really is, where 'file' was a symbolic link */
	char *backup;  /* the file that has the old text now; NULL: none, for nothing was changed */
	char *old_text, *new_text;
	struct lxcore_config_change *changes;
};
/* 'look_only': change nothing.  The count of lines that change; -1. */
LXCORE_API int lxcore_update_config(const char *file, bool look_only, struct lxcore_config_update *ret,
				    lxcore_error *err);
LXCORE_API void lxcore_config_update_free(struct lxcore_config_update *u);
/* Sentences that the user should read, such as old key names in the file; ended by NULL; owned by c. */
LXCORE_API const char *const *lxcore_notices(lxcore_container *c);
/* Run every part's checks: would it start?  Calls 'say' for each part with what it found wrong
 * (err text) or NULL. Returns the number of parts that object, -1 when it cannot be told. */
LXCORE_API int lxcore_check(lxcore_container *c,
			    void (*say)(void *data, const char *part, const lxcore_error *objection),
			    void *data, lxcore_error *err);

/* ---- state ------------------------------------------------------------------------------------ */

enum lxcore_state {
	LXCORE_STOPPED, LXCORE_STARTING, LXCORE_RUNNING, LXCORE_STOPPING,
	LXCORE_ABORTING, LXCORE_FREEZING, LXCORE_FROZEN, LXCORE_THAWED,
	LXCORE_N_STATES
};
LXCORE_API const char *lxcore_state_name(enum lxcore_state state); /* "RUNNING" */
LXCORE_API int lxcore_state_parse(const char *name);               /* -1: no such state */
/* Never waits; never fails: a supervisor that hangs does not matter. */
LXCORE_API enum lxcore_state lxcore_state(lxcore_container *c);
/* Init's pid in the caller's pid namespace, 0 when it does not run. */
LXCORE_API pid_t lxcore_init_pid(lxcore_container *c);
LXCORE_API pid_t lxcore_supervisor_pid(lxcore_container *c);

/* Wait until one of the states (1u << state, OR-ed) is reached; 0; -1 with ETIMEDOUT. */
LXCORE_API int lxcore_wait(lxcore_container *c, unsigned states, int timeout, lxcore_error *err);

/* How far a container has come up. */
enum lxcore_up {
	LXCORE_UP_RUNNING,
	LXCORE_UP_NETWORK, /* it has an address */
	LXCORE_UP_READY,   /* its ready hooks say so or, without any, its init */
};
LXCORE_API int lxcore_up_parse(const char *name); /* "network"; -1: no such thing */
/*
 * Wait until it has come so far.  0; -1 with ETIMEDOUT; ESRCH: it does not run, or ended; ENOTSUP: it
 * will never be known (no network interface; an init that does not tell).
 */
LXCORE_API int lxcore_wait_up(lxcore_container *c, enum lxcore_up what, int timeout,
			      lxcore_error *err);

/* Events of all containers below some lxcpaths, as lxc-monitor shows them. */
typedef struct lxcore_monitor lxcore_monitor;
enum lxcore_event_type {
	LXCORE_EVENT_STATE, LXCORE_EVENT_EXIT, LXCORE_EVENT_RESTART,
	/* Of containers on disk; 'detail' is: */
	LXCORE_EVENT_CREATE,   /* the one that it was cloned from, or NULL */
	LXCORE_EVENT_DESTROY,
	LXCORE_EVENT_RENAME,   /* its new name */
	LXCORE_EVENT_SNAPSHOT, /* the snapshot that was taken; */
	LXCORE_EVENT_RESTORE,  /* that it is again what it was then; */
	LXCORE_EVENT_FORGET,   /* that was removed, NULL: all of them */
	/* Of one that runs: processes of it were killed for want of memory. */
	LXCORE_EVENT_OOM,
};
LXCORE_API const char *lxcore_event_name(enum lxcore_event_type type); /* "state" */
LXCORE_API int lxcore_event_parse(const char *name);                   /* -1: no such type */
struct lxcore_event {
	enum lxcore_event_type type;
	const char *lxcpath, *name; /* valid until the next call */
	enum lxcore_state state;    /* of a state event */
	int status;                 /* of an exit event: wait status as of wait(2) */
	int delay_ms;               /* of a restart event: so long until it is started again */
	int oom_kills;              /* of an oom event: how many since its boot */
	const char *detail;         /* see above; or NULL */
	int64_t when_ms;            /* since 1970 */
};
/* The paths end with NULL; none (or NULL): lxc.lxcpath. */
LXCORE_API lxcore_monitor *lxcore_monitor_open(const char *const *lxcpaths, lxcore_error *err);
/* Begin with those that were kept since then (milliseconds since 1970).  Kept are about the last two
 * thousand of an lxcpath, as long as the machine is up. */
LXCORE_API int lxcore_monitor_since(lxcore_monitor *m, int64_t since_ms, lxcore_error *err);
/* 1: an event; 0: none within timeout_ms; -1: failed. */
LXCORE_API int lxcore_monitor_next(lxcore_monitor *m, int timeout_ms, struct lxcore_event *ret,
				   lxcore_error *err);
LXCORE_API int lxcore_monitor_fd(const lxcore_monitor *m); /* readable when an event waits */
LXCORE_API void lxcore_monitor_close(lxcore_monitor *m);

/* ---- start and stop --------------------------------------------------------------------------- */

struct lxcore_timing { /* what one door of one part took */
	const char *part, *door;
	unsigned microseconds;
};

struct lxcore_checkpoint;
struct lxcore_start {
	size_t size;              /* sizeof(struct lxcore_start) */
	const char *const *command; /* replaces lxc.init.cmd; NULL: that */
	bool execute;             /* 'command' (or lxc.execute.cmd) runs under a small init of ours */
	bool foreground;          /* return when the container has ended */
	int std_fds[3];           /* foreground: the command's stdin, stdout, stderr; -1: console */
	int terminal;             /* foreground: descriptor of the terminal that shows the console,
				     -1: none */
	const char *pidfile;      /* the supervisor's pid is written there; NULL: no */
	int timeout;              /* limit for reaching RUNNING, seconds; 0: the default (none but those
				     of the parts) */
	void (*timing)(void *data, const struct lxcore_timing *t); /* called for each door, or NULL */
	void *timing_data;
	const struct lxcore_checkpoint *checkpoint; /* go on from the one in 'dir' ('verbose' and
				     'action_script' count, too) instead of running init; or NULL */
};
#define LXCORE_START_INIT {.size = sizeof(struct lxcore_start), .std_fds = {-1, -1, -1}, \
	.terminal = -1}
/*
 * Start it.  Detached: returns when it is RUNNING.  Foreground: when it has ended; then *ret_status
 * (may be NULL) is init's wait status.  EBUSY: it runs already.
 */
LXCORE_API int lxcore_start(lxcore_container *c, const struct lxcore_start *how, int *ret_status,
			    lxcore_error *err);
/* What a start would do: calls 'say' for each part that has something to do, in boot order. */
LXCORE_API int lxcore_explain(lxcore_container *c,
			      void (*say)(void *data, const char *part, const char *doors,
					  const char *settings),
			      void *data, lxcore_error *err);

/* End it at once (lxc.signal.stop, else SIGKILL); returns when everything was given back.  Works
 * when its supervisor hangs. ESRCH: not running. */
LXCORE_API int lxcore_stop(lxcore_container *c, lxcore_error *err);
/* Ask init to shut down, with the signal that fits the init that runs. 0: it ended (or timeout 0:
 * was asked); -1 with ETIMEDOUT. */
LXCORE_API int lxcore_shutdown(lxcore_container *c, int timeout, lxcore_error *err);
LXCORE_API int lxcore_reboot(lxcore_container *c, int timeout, lxcore_error *err);
/* The signal that a shutdown would send and why ("SIGRTMIN+3, systemd"). */
LXCORE_API int lxcore_halt_signal(lxcore_container *c, char **ret_reason, lxcore_error *err);
LXCORE_API int lxcore_freeze(lxcore_container *c, int timeout, lxcore_error *err);
LXCORE_API int lxcore_unfreeze(lxcore_container *c, int timeout, lxcore_error *err);
/* Wait status of the last init that ended, and when (seconds since 1970); ENOENT: never ran. */
LXCORE_API int lxcore_last_exit(lxcore_container *c, int *ret_status, int64_t *ret_when,
				lxcore_error *err);
struct lxcore_ended {
	int status;        /* as of wait(2) */
	int64_t when;      /* seconds since 1970 */
	int64_t oom_kills; /* processes of that boot that the kernel killed for want of memory */
	bool out_of_memory; /* ... and init was one of them, which ended it */
};
/* The same, and what memory had to do with it. */
LXCORE_API int lxcore_last_end(lxcore_container *c, struct lxcore_ended *ret, lxcore_error *err);

/* What lxc.start.restart makes of it when it ends. */
struct lxcore_restart {
	char policy[32];   /* "no", "on-failure:5", "always": of the running container if it runs */
	unsigned restarts; /* since it was started, without the reboots that it asked for itself */
	int64_t next_ms;   /* it ended (its state is STARTING) and is tried again then; -1: it is not */
};
LXCORE_API int lxcore_restart_info(lxcore_container *c, struct lxcore_restart *ret,
				   lxcore_error *err);

/* ---- inside ----------------------------------------------------------------------------------- */

enum lxcore_namespace { /* bits */
	LXCORE_NS_USER = 1, LXCORE_NS_MNT = 2, LXCORE_NS_PID = 4, LXCORE_NS_UTS = 8,
	LXCORE_NS_IPC = 16, LXCORE_NS_NET = 32, LXCORE_NS_CGROUP = 64, LXCORE_NS_TIME = 128,
	LXCORE_NS_ALL = 255,
};
enum lxcore_elevate { LXCORE_ELEVATE_CAP = 1, LXCORE_ELEVATE_CGROUP = 2, LXCORE_ELEVATE_LSM = 4 };

struct lxcore_attach {
	size_t size;                 /* sizeof(struct lxcore_attach) */
	const char *const *command;  /* argument vector; NULL: the login shell of the user */
	unsigned namespaces;         /* 0: all that the container has */
	unsigned elevate;            /* what is *not* taken from the container */
	bool remount_sys_proc;
	const char *arch;            /* NULL: the container's */
	uid_t uid;                   /* -1: the container's root */
	gid_t gid;
	bool clear_env;
	const char *const *keep_env; /* names, ended by NULL; or NULL */
	const char *const *set_env;  /* NAME=VALUE, ended by NULL; or NULL */
	const char *cwd;             /* NULL: the caller's if it exists inside, else "/" */
	const char *context;         /* LSM label; NULL: the container's */
	int std_fds[3];              /* 0, 1, 2 by default */
	bool terminal;               /* the command gets a terminal of its own on a fresh pty */
	const char *pty_log;         /* copy of what the terminal shows; NULL: no */
	int timeout;                 /* for the container to take us (it may be frozen); default 10 */
};
#define LXCORE_ATTACH_INIT {.size = sizeof(struct lxcore_attach), .uid = (uid_t)-1, \
	.gid = (gid_t)-1, .std_fds = {0, 1, 2}, .timeout = 10}
/*
 * Run a command inside and wait for it; *ret_status is its wait status.  Without 'terminal' its
 * three descriptors are passed as they are; with it, std_fds[0] is put into raw mode, size and
 * signals are forwarded, and the terminal is put back as it was.  When the command cannot be executed
 * the error says why, and *ret_status is as a shell would have it: 127 << 8 (no such command) or
 * 126 << 8; it is left alone by other failures.
 */
LXCORE_API int lxcore_attach(lxcore_container *c, const struct lxcore_attach *how, int *ret_status,
			     lxcore_error *err);
/* The same without waiting: *ret_pid is a child of the caller. Not with 'terminal'. */
LXCORE_API int lxcore_attach_nowait(lxcore_container *c, const struct lxcore_attach *how,
				    pid_t *ret_pid, lxcore_error *err);

/*
 * A terminal of the container.  tty 0: the console, shared by all who are connected; N: /dev/ttyN,
 * one client at a time; -1: the first free one (*tty is set).  The descriptor is a stream of bytes;
 * for ttys it is the pty's master.  The tty is free again when *ret_hold is closed.
 */
LXCORE_API int lxcore_console_fd(lxcore_container *c, int *tty, int *ret_hold, lxcore_error *err);
struct lxcore_console {
	size_t size;
	int tty;                 /* as above */
	int in, out;             /* descriptors of the user's side */
	int escape;              /* 1..26: Ctrl+letter, then q leaves; -1: none */
	void (*connected)(void *data, int tty); /* called once it stands, or NULL */
	void *data;
};
#define LXCORE_CONSOLE_INIT {.size = sizeof(struct lxcore_console), .tty = -1, .in = 0, .out = 1, \
	.escape = 1}
/* Talk to it until the user leaves or the container ends. */
LXCORE_API int lxcore_console(lxcore_container *c, const struct lxcore_console *how,
			      lxcore_error *err);
/* What the console printed (lxc.console.buffer.size); clear: forget it after. */
LXCORE_API int lxcore_console_log(lxcore_container *c, bool clear, char **ret, size_t *ret_size,
				  lxcore_error *err);
struct lxcore_logs {
	size_t size;      /* sizeof(struct lxcore_logs) */
	int64_t since_ms; /* what was printed since then, milliseconds since 1970; -1: all */
	long tail;        /* of that the last lines; -1: all */
	bool follow;      /* go on, also when it is started again */
	/* Bytes as they were printed, and when, -1: not known.  While it follows it is called with none
	 * (n 0) whenever there is nothing more just now.  false ends it. */
	bool (*show)(void *data, const char *bytes, size_t n, int64_t when_ms);
	void *data;
};
#define LXCORE_LOGS_INIT {.size = sizeof(struct lxcore_logs), .since_ms = -1, .tail = -1}
/*
 * What it printed on its console, from lxc.console.logfile and the file that this was renamed to, or
 * from the buffer (lxc.console.buffer.size) of a running one.  ENODATA: it is not kept, or has no
 * times; ENOENT: nothing was logged yet.
 */
LXCORE_API int lxcore_logs(lxcore_container *c, const struct lxcore_logs *how, lxcore_error *err);
LXCORE_API int lxcore_console_resize(lxcore_container *c, int rows, int columns, lxcore_error *err);

/*
 * The listener of init's filter, when the policy has calls with action 'notify' and
 * lxc.seccomp.notify.proxy is unset: who has it answers them (seccomp_unotify(2)); until somebody does
 * they wait.  EBUSY: the proxy answers; ENOENT: there is none; ESRCH: not running.
 */
LXCORE_API int lxcore_seccomp_listener(lxcore_container *c, lxcore_error *err);

/* ---- resources -------------------------------------------------------------------------------- */

/* Read or write a control file of its cgroup ("memory.max", "cpuset.cpus", "devices.allow" ...). */
LXCORE_API int lxcore_cgroup_get(lxcore_container *c, const char *file, char **ret,
				 lxcore_error *err);
LXCORE_API int lxcore_cgroup_set(lxcore_container *c, const char *file, const char *value,
				 lxcore_error *err);

/*
 * Change limits (lxc.limit.*): of a running container at once, and in its configuration.  All is done
 * or nothing.  EBUSY: memory that is in use cannot be taken away, or it is just being started or
 * stopped.
 */
struct lxcore_update {
	size_t size;
	const char *const *settings; /* "KEY=VALUE", ended by NULL; an empty value: no limit */
	bool runtime; /* of the running container alone (ESRCH: it does not run) */
};
#define LXCORE_UPDATE_INIT {.size = sizeof(struct lxcore_update)}
LXCORE_API int lxcore_update(lxcore_container *c, const struct lxcore_update *how,
			     lxcore_error *err);

/*
 * The limits of a container: those of its configuration and, of one that runs, those that the kernel
 * keeps, whoever set them.
 */
enum lxcore_limit_unit {
	LXCORE_LIMIT_BYTES,
	LXCORE_LIMIT_RATE,     /* bytes a second */
	LXCORE_LIMIT_PERMILLE, /* thousandths of a processor */
	LXCORE_LIMIT_COUNT,    /* processes, or a weight */
	LXCORE_LIMIT_LIST,     /* of processors */
};
struct lxcore_limit {
	const char *key;   /* "lxc.limit.memory" */
	enum lxcore_limit_unit unit;
	char *device;      /* whose rate it is, "8:0"; NULL: it is about no device */
	char *configured;  /* as its configuration says it; NULL: that does not */
	int64_t value;     /* of one that runs: in force; else what is configured; -1: no limit */
	char *list;        /* the same for a list, as "0-1,4"; NULL: no limit */
	bool differs;      /* in force is something else than what is configured */
};
/* Those that are set; the count.  Free with lxcore_limits_free. */
LXCORE_API int lxcore_limits(lxcore_container *c, struct lxcore_limit **ret, lxcore_error *err);
LXCORE_API void lxcore_limits_free(struct lxcore_limit *list, int n);

struct lxcore_stats { /* -1: this host does not tell */
	int64_t cpu_ns, memory, swap, kernel_memory, block_io; /* bytes but for cpu_ns */
	int64_t pids;
	int64_t cpu_user_ns, cpu_system_ns; /* of cpu_ns */
	int64_t block_ops;                  /* operations */
	int64_t oom_kills; /* processes killed for want of memory since it was booted */
};
LXCORE_API int lxcore_stats(lxcore_container *c, struct lxcore_stats *ret, lxcore_error *err);

struct lxcore_interface {
	char *name;        /* inside */
	char *host_name;   /* of its peer or parent on the host, NULL: none */
	char **ipv4, **ipv6; /* addresses as text, ended by NULL; link-local ones left out */
	uint64_t rx_bytes, tx_bytes; /* seen from inside */
};
/* Interfaces of a running container, without the loopback; the count. */
LXCORE_API int lxcore_interfaces(lxcore_container *c, struct lxcore_interface **ret,
				 lxcore_error *err);
LXCORE_API void lxcore_interfaces_free(struct lxcore_interface *list, int n);

/*
 * Ports of the host that lead to a running container (lxc.net.N.publish), ended by NULL:
 * "tcp:*:8080 -> 10.0.3.5:80".  Free with lxcore_names_free.  The count.
 */
LXCORE_API int lxcore_published(lxcore_container *c, char ***ret, lxcore_error *err);

/*
 * Give a device of the host to a running container, and take it away again.  'inside' is its path
 * there (NULL: as on the host).  The node belongs to the container's root; the rules of its cgroup
 * allow the device, or forbid it again.
 */
LXCORE_API int lxcore_device_add(lxcore_container *c, const char *device, const char *inside,
				 lxcore_error *err);
LXCORE_API int lxcore_device_remove(lxcore_container *c, const char *device, const char *inside,
				    lxcore_error *err);
/*
 * Move an interface of the host into a running container, as 'inside' (NULL: under its own name).
 * It comes home as it was, at the latest when the container ends, whatever ends it.
 */
LXCORE_API int lxcore_interface_add(lxcore_container *c, const char *name, const char *inside,
				    lxcore_error *err);
/* Move the container's interface 'inside' to the host, as 'name'; NULL: under the name that it had
 * there, or the one that it has. */
LXCORE_API int lxcore_interface_remove(lxcore_container *c, const char *inside, const char *name,
				       lxcore_error *err);

/* ---- the managed network, lxc-net(1) ------------------------------------------------------------ */

/*
 * Make it, or what is missing of it; take it down.  1: it was done; 0: there was nothing to do (it is
 * switched off; it was not up); -1.  *ret_notes: sentences that a person should read, ended by NULL;
 * free with lxcore_names_free.
 */
LXCORE_API int lxcore_net_start(char ***ret_notes, lxcore_error *err);
LXCORE_API int lxcore_net_stop(char ***ret_notes, lxcore_error *err);

struct lxcore_net_lease { /* an address of the network that belongs to a container */
	char *address, *hwaddr;
	char *name, *lxcpath;
	unsigned index; /* N of lxc.net.N */
};
struct lxcore_net_status {
	bool enabled;       /* USE_LXC_BRIDGE */
	bool up;
	char *bridge;
	int ports;          /* of the bridge; -1: there is no bridge */
	char *ipv4, *ipv6;  /* of the bridge, with prefix; ipv6 may be NULL */
	char *dhcp_range, *domain; /* domain may be NULL */
	bool rules;         /* our nftables table is there */
	pid_t dnsmasq;      /* 0: it does not run */
	struct lxcore_net_lease *leases; /* sorted by address */
	int n_leases;
	char **published;   /* of all containers: "tcp:*:8080 -> 10.0.3.5:80 (web)", ended by NULL */
};
LXCORE_API int lxcore_net_status(struct lxcore_net_status *ret, lxcore_error *err);
LXCORE_API void lxcore_net_status_free(struct lxcore_net_status *s);
/* What stands in its way: calls 'say' for each subject, with an objection or NULL.  The number of
 * objections. */
LXCORE_API int lxcore_net_check(void (*say)(void *data, const char *subject,
					    const lxcore_error *objection), void *data);

/* ---- user namespaces and others, without a container ------------------------------------------- */

/* 'count' ids from 'inside' on stand for those of the host from 'outside' on. */
struct lxcore_idmap {
	char kind; /* 'u': user ids, 'g': group ids */
	uint32_t inside, outside, count;
};
struct lxcore_userns {
	size_t size;
	const struct lxcore_idmap *maps;
	size_t n_maps;              /* 0: the caller's first ranges of subuid(5) and subgid(5) */
	bool map_self;              /* the caller's own user and group, too, at the next free ids */
	uid_t uid;                  /* whom the command becomes inside; 0 by default */
	gid_t gid;
	const char *const *command; /* ended by NULL; NULL: /bin/sh */
};
#define LXCORE_USERNS_INIT {.size = sizeof(struct lxcore_userns)}
/*
 * Run a command in a user namespace, and a mount namespace, of its own, and wait for it; *ret_status as
 * of wait(2).  Root may map any ids, others what newuidmap(1) allows.  ENOENT: the caller has no
 * subordinate ids, or there is no such command.
 */
LXCORE_API int lxcore_userns_run(const struct lxcore_userns *how, int *ret_status,
				 lxcore_error *err);

struct lxcore_unshare {
	size_t size;
	unsigned namespaces;          /* LXCORE_NS_*: the command gets new ones of these */
	uid_t uid;                    /* with LXCORE_NS_USER: the one user that is mapped, to the
	                               * caller, and whom the command becomes; -1: none is */
	const char *hostname;         /* with LXCORE_NS_UTS; or NULL */
	const char *const *interfaces;/* with LXCORE_NS_NET: to be moved there; or NULL */
	bool mount_usual;             /* with LXCORE_NS_MNT: its own /proc, /dev/shm, /dev/mqueue */
	bool nowait;                  /* return once the command runs */
	const char *const *command;   /* ended by NULL */
};
#define LXCORE_UNSHARE_INIT {.size = sizeof(struct lxcore_unshare), .uid = (uid_t)-1}
/* Run a command in new namespaces; *ret_status as of wait(2), 0 with 'nowait'. */
LXCORE_API int lxcore_unshare(const struct lxcore_unshare *how, int *ret_status, lxcore_error *err);

/* ---- the host ----------------------------------------------------------------------------------- */

enum lxcore_verdict {
	LXCORE_FINE,
	LXCORE_ADVICE, /* something will not work, other things do */
	LXCORE_WRONG,  /* no container of whoever asks will start */
};
struct lxcore_diagnosis {
	const char *subject; /* "newuidmap" */
	enum lxcore_verdict verdict;
	const char *found;   /* what was found, in words */
	const char *mend;    /* what mends it, lines separated by '\n'; "" when nothing has to be */
};
/* Is this host fit for the containers of whoever asks, root or an ordinary user?  Looks and changes
 * nothing; the number of things that are wrong. */
LXCORE_API int lxcore_doctor(void (*say)(void *data, const struct lxcore_diagnosis *d), void *data);

/* ---- checkpoints ------------------------------------------------------------------------------- */

/*
 * What stands in the way of a checkpoint of a running container: of this host, and (c not NULL) of the
 * container.  The number of things that are wrong; -1: it cannot be told (ESRCH: it does not run).
 */
LXCORE_API int lxcore_checkpoint_check(lxcore_container *c,
				       void (*say)(void *data, const struct lxcore_diagnosis *d),
				       void *data, lxcore_error *err);
struct lxcore_checkpoint {
	size_t size;
	const char *dir;           /* of the images; made, for its owner alone */
	bool stop;                 /* the container ends once it is written; else it goes on */
	bool pre_dump;             /* memory alone, while it goes on */
	const char *predump_dir;   /* what lies there (relative to 'dir') is not written; or NULL */
	bool verbose;              /* criu tells all that it does, in its log in 'dir' */
	const char *action_script; /* program that criu runs at each step; or NULL */
};
/*
 * Write a running container into files, with criu.  ENOTSUP: something stands in the way; EEXIST: 'dir'
 * has a checkpoint; EIO: criu failed, its log tells why.
 */
LXCORE_API int lxcore_checkpoint(lxcore_container *c, const struct lxcore_checkpoint *how,
				 lxcore_error *err);

/* ---- containers on disk ----------------------------------------------------------------------- */

/* Names below lxcpath (NULL: lxc.lxcpath), sorted, ended by NULL; the count.  Free with
 * lxcore_names_free. */
LXCORE_API int lxcore_list_defined(const char *lxcpath, char ***ret, lxcore_error *err);
LXCORE_API int lxcore_list_active(const char *lxcpath, char ***ret, lxcore_error *err);
LXCORE_API int lxcore_list_all(const char *lxcpath, char ***ret, lxcore_error *err);
LXCORE_API void lxcore_names_free(char **names);

/* One row of lxc-ls, for all containers of a path at once (no process per container). */
struct lxcore_summary {
	char *name;
	enum lxcore_state state;
	pid_t init_pid;
	bool defined, readable;      /* readable: its configuration parses */
	bool autostart, unprivileged;
	char **groups;               /* ended by NULL */
	struct lxcore_interface *interfaces;
	int n_interfaces;            /* 0 unless asked for and running */
	int64_t memory, swap;        /* -1: unknown or not asked for */
	unsigned depth;              /* in so many containers */
	char *outer;                 /* "web", "web/inner": the one that it is in; NULL: the host */
};
enum lxcore_summary_want { LXCORE_WANT_CONFIG = 1, LXCORE_WANT_INTERFACES = 2, LXCORE_WANT_MEMORY = 4 };
LXCORE_API int lxcore_summaries(const char *lxcpath, unsigned want, struct lxcore_summary **ret,
				lxcore_error *err);
LXCORE_API void lxcore_summaries_free(struct lxcore_summary *list, int n);

struct lxcore_nesting {
	size_t size;
	unsigned depth; /* how deep in one another, at most 32; 0: 5 */
	int limit_ms;   /* after which it is not looked any further; 0: 3 seconds */
	unsigned want;  /* of LXCORE_WANT_*: interfaces.  The rest is not known of them. */
};
#define LXCORE_NESTING_INIT {.size = sizeof(struct lxcore_nesting)}
/*
 * The containers in a running container, each followed by those in it, sorted by name.  They are
 * looked for from outside and nothing of ours goes in: below the root of its init, where root's tools
 * have them, at the lxc.lxcpath of its lxc.conf or the usual places.  Whether they run, and as which
 * process of this host, is the kernel's word; all else is theirs.  'readable' is false, for their
 * configurations are not read.  -1: not all could be told; what could be is there all the same, to be
 * freed with lxcore_summaries_free().  ETIMEDOUT: its files do not answer; E2BIG: there are too many.
 */
LXCORE_API int lxcore_nested(lxcore_container *c, const struct lxcore_nesting *how,
			     struct lxcore_summary **ret, int *ret_n, lxcore_error *err);

/*
 * What running containers use, for who looks again and again: so that a round costs little, their
 * files stay open between two of them, no more than half of what RLIMIT_NOFILE allows when it is
 * opened; the others are opened each time.  'pattern' as of glob(7) chooses some; NULL: all.
 */
typedef struct lxcore_sampler lxcore_sampler;
struct lxcore_sample {
	const char *name;
	uint64_t boot;    /* another number than before: since then it was booted, and counts from 0 */
	int64_t time_us;  /* when, by CLOCK_MONOTONIC */
	struct lxcore_stats use;    /* but oom_kills, always -1: only lxcore_stats() looks for them */
	int64_t rx_bytes, tx_bytes; /* seen from inside; -1: it has no network */
};
LXCORE_API lxcore_sampler *lxcore_sampler_open(const char *lxcpath, const char *pattern,
					       lxcore_error *err);
/* Those that run now, by name; the count.  *ret is the sampler's own, until the next call. */
LXCORE_API int lxcore_sampler_round(lxcore_sampler *s, const struct lxcore_sample **ret,
				    lxcore_error *err);
LXCORE_API void lxcore_sampler_close(lxcore_sampler *s);

struct lxcore_create {
	size_t size;
	const char *template;      /* name, absolute path; NULL: none */
	const char *const *args;   /* the template's own, ended by NULL; or NULL */
	const char *config;        /* instead of lxc.default_config; NULL: that */
	const char *storage;       /* "dir", "btrfs", "loop", "lvm", "nbd", "overlay", "rbd", "zfs", a
				    * list ("zfs,dir": the first that can be), "best"; NULL: dir */
	const char *dir;           /* root filesystem's place for dir; NULL: LXCPATH/NAME/rootfs */
	bool quiet;                /* the template's output goes to /dev/null */
	const char *fstype;        /* on a device of its own; NULL: ext4 */
	uint64_t fssize;           /* of such a device, bytes; 0: 1 GiB */
	const char *lvname, *rbdname; /* NULL: the container's name */
	const char *vgname, *thinpool, *rbdpool, *rbduser, *zfsroot; /* NULL: lxc.bdev.* of lxc.conf */
};
#define LXCORE_CREATE_INIT {.size = sizeof(struct lxcore_create)}
LXCORE_API int lxcore_create(lxcore_container *c, const struct lxcore_create *how,
			     lxcore_error *err);

/* What lxcore_create() can fill a root filesystem with: one template of this installation. */
struct lxcore_template {
	char *name, *path;
	char *about;    /* one sentence; NULL: it does not say */
	char **needs;   /* programs, "A|B" where either serves, ended by NULL; NULL: it does not say */
	char **missing; /* those of 'needs' that this host has not, ended by NULL; NULL as well */
};
/* All of them by name; the count.  Free with lxcore_templates_free. */
LXCORE_API int lxcore_templates(struct lxcore_template **ret, lxcore_error *err);
LXCORE_API void lxcore_templates_free(struct lxcore_template *list, int n);
/*
 * The secret in an argument for a template (a name or an absolute path), a pointer into 'word'; NULL:
 * there is none, or the template does not say.  Who got its arguments where others can read them does
 * well to overwrite it, once it has a copy.
 */
LXCORE_API const char *lxcore_template_secret(const char *template, const char *word);

/* Remove a stopped container (EBUSY: it runs).  with_snapshots: and what depends on it. */
LXCORE_API int lxcore_destroy(lxcore_container *c, bool with_snapshots, lxcore_error *err);

/* ---- many containers at once ------------------------------------------------------------------- */

/* A shell pattern, glob(7): it has one of * ? [, which no name has. */
LXCORE_API bool lxcore_is_pattern(const char *text);
/* Names below lxcpath (NULL: lxc.lxcpath), running or defined, that match it; sorted, ended by NULL;
 * the count.  ENOENT: none.  Free with lxcore_names_free. */
LXCORE_API int lxcore_list_matching(const char *lxcpath, const char *pattern, char ***ret,
				    lxcore_error *err);

typedef struct lxcore_job lxcore_job; /* one of a fleet's, as seen by who does it */
struct lxcore_fleet_progress {
	size_t total, done, failed, busy; /* jobs; done: with the failed ones */
	unsigned milliseconds;            /* since the first began */
};
struct lxcore_fleet {
	size_t size;
	unsigned jobs; /* so many at a time; 0: two for each processor that we may use */
	int timeout;   /* seconds without a sign of life, then a job is killed (ETIMEDOUT); 0: none */
	/*
	 * What is to be done for one name: 0, or -1 with the error filled.  It runs in a process of its
	 * own, forked from the caller's, which ends with the caller's at the latest; what it leaves in
	 * memory is lost.
	 */
	int (*work)(lxcore_job *job, const char *name, void *data, lxcore_error *err);
	/* Called in the caller's process at the beginning, ten times a second and at the end; or NULL.
	 * false: no further job is begun (ECANCELED), and those at work are waited for. */
	bool (*progress)(const struct lxcore_fleet_progress *p, void *data);
	void *data;
};
#define LXCORE_FLEET_INIT {.size = sizeof(struct lxcore_fleet)}
struct lxcore_outcome { /* of one job */
	char *name;
	lxcore_error *error; /* NULL: it worked */
	unsigned milliseconds;
	void *answer;        /* its own bytes, lxcore_job_answer; NULL: none */
	size_t answer_size;
};
#define LXCORE_ANSWER_MAX 4096

/*
 * Do it for all the names (ended by NULL), a bounded number at a time.  *ret: what came of each, in the
 * order of the names, ended by one whose name is NULL.  Returns how many failed; -1: none was begun.
 * The caller should have no other thread.
 */
LXCORE_API int lxcore_fleet_run(const char *const *names, const struct lxcore_fleet *how,
				struct lxcore_outcome **ret, lxcore_error *err);
LXCORE_API void lxcore_outcomes_free(struct lxcore_outcome *list);
/* For work(): a sign of life. */
LXCORE_API void lxcore_job_alive(lxcore_job *job);
/* For work(): what the caller is to know besides success; the last one counts.  -1: too long. */
LXCORE_API int lxcore_job_answer(lxcore_job *job, const void *bytes, size_t n);

/* ---- copies and snapshots ----------------------------------------------------------------------- */

/* How far a copy of contents is. */
struct lxcore_progress {
	uint64_t bytes, total_bytes; /* of file contents; total 0: not known yet */
	uint64_t files, total_files;
	uint64_t usec;               /* since the first byte */
};

struct lxcore_copy {
	size_t size;               /* sizeof(struct lxcore_copy) */
	const char *name;          /* of the new one; NULL: OLDNAME_XXXXXX, chosen */
	const char *path;          /* its lxcpath; NULL: the old one's */
	bool snapshot;             /* share the contents, copy on write; ENOTSUP when that cannot be */
	bool allow_running;        /* a running source stands still meanwhile; else it is EBUSY */
	bool keep_name, keep_mac;  /* lxc.uts.name and hostname; MAC addresses */
	bool new_ssh_keys;         /* host keys of its sshd are made anew */
	const char *storage;       /* "dir", "overlay", a list ...; NULL: as the old one's; "overlay"
				      where 'snapshot' shares a directory */
	uint64_t fssize;           /* bytes, for storage that has a size; 0: as the old one's */
	bool ephemeral;            /* it goes when it stops (lxc.ephemeral) */
	bool tmpfs;                /* with 'snapshot': what it writes stays in memory */
	const char *const *settings;  /* "KEY=VALUE" set in its configuration, ended by NULL; or NULL */
	const char *const *hook_args; /* further words for clone hooks, ended by NULL; or NULL */
	/* Called about ten times a second while contents are copied; false cancels (ECANCELED). */
	bool (*progress)(const struct lxcore_progress *p, void *data);
	void *data;
};
#define LXCORE_COPY_INIT {.size = sizeof(struct lxcore_copy)}
struct lxcore_copied {
	char *name;        /* of the new one */
	const char *way;   /* how it got its contents: "overlay", "copy", "copy of shared blocks",
			      "btrfs" ...; static */
	uint64_t bytes;    /* that were copied */
	unsigned pause_us; /* how long a running source stood still; 0: it did not */
	int hold;          /* of an ephemeral one: a descriptor that keeps it until it has been started;
			      once that is closed, whoever comes by removes it when it does not run;
			      0: none */
};
LXCORE_API void lxcore_copied_free(struct lxcore_copied *r); /* closes 'hold', too */
/*
 * Make a new container of one that is there: with its own name, machine id, MAC addresses.  The new one
 * appears whole or not at all.  'ret' may be NULL.  EEXIST, EBUSY, ENOTSUP, ENOSPC ...
 */
LXCORE_API int lxcore_copy(lxcore_container *c, const struct lxcore_copy *how,
			   struct lxcore_copied *ret, lxcore_error *err);
/* Give a stopped container another name below the same lxcpath; 'c' is the new one's handle after.
 * EBUSY: it runs; ENOTEMPTY: it has snapshots or clones. */
LXCORE_API int lxcore_rename(lxcore_container *c, const char *name, lxcore_error *err);

struct lxcore_snapshot {
	char *name;        /* "snap0" */
	char *dir;         /* that holds it: LXCPATH/NAME/snaps, an lxcpath of its own */
	char *created;     /* "2026:11:27 14:03:11", local time; "" when unknown */
	char *comment;     /* NULL: none */
	char *parent;      /* the snapshot that it was taken on top of; NULL: none, or not known */
};
struct lxcore_snap {
	size_t size;              /* sizeof(struct lxcore_snap) */
	const char *comment_file; /* its text is kept with the snapshot; or NULL */
	bool full;                /* copy all: nothing is shared with the container */
	bool (*progress)(const struct lxcore_progress *p, void *data); /* as above */
	void *data;
};
#define LXCORE_SNAP_INIT {.size = sizeof(struct lxcore_snap)}
/*
 * Keep what the container is now, as snapN.  Contents are shared where that is safe (ret->way
 * tells), so it takes no time and no space.  A running one stands still meanwhile.
 */
LXCORE_API int lxcore_snapshot(lxcore_container *c, const struct lxcore_snap *how,
			       struct lxcore_copied *ret, lxcore_error *err);
/* Oldest first; the count. */
LXCORE_API int lxcore_snapshots(lxcore_container *c, struct lxcore_snapshot **ret,
				lxcore_error *err);
LXCORE_API void lxcore_snapshots_free(struct lxcore_snapshot *list, int n);
/*
 * Put a snapshot back: 'name' NULL: the stopped container becomes what it was, and what it was until
 * now is gone; else a new container of that name is made of it.
 */
LXCORE_API int lxcore_snapshot_restore(lxcore_container *c, const char *snapshot, const char *name,
				       struct lxcore_copied *ret, lxcore_error *err);
/* Remove one; NULL: all. ENOTEMPTY: containers were cloned from it. */
LXCORE_API int lxcore_snapshot_destroy(lxcore_container *c, const char *snapshot,
				       lxcore_error *err);

struct lxcore_diff {
	size_t size;          /* sizeof(struct lxcore_diff) */
	const char *snapshot; /* since that; NULL: since it was cloned, for one that shares contents,
			       * else since it was created */
	bool since_create;    /* since it was created, which of copies their source was */
	bool contents;        /* compare bytes rather than times, which creation does not know */
	void (*say)(void *data, char kind, const char *path); /* 'A': new, 'C': changed, 'D': gone */
	void *data;
};
#define LXCORE_DIFF_INIT {.size = sizeof(struct lxcore_diff)}
/*
 * What changed in the container's tree, sorted by path; a directory is changed when something in it
 * is.  *ret_against (may be NULL): what it was compared with, in words.  ENODATA: its first state was
 * not recorded; EBADMSG: the record is damaged; ENOENT: there is no such snapshot.
 */
LXCORE_API int lxcore_diff(lxcore_container *c, const struct lxcore_diff *how, char **ret_against,
			   lxcore_error *err);

/* Containers whose contents lie partly in this one's, and those in which its own lie:
 * "LXCPATH/NAME" each, sorted, ended by NULL; the count.  Free with lxcore_names_free. */
LXCORE_API int lxcore_dependants(lxcore_container *c, char ***ret, lxcore_error *err);
LXCORE_API int lxcore_dependencies(lxcore_container *c, char ***ret, lxcore_error *err);

/* ---- files in and out --------------------------------------------------------------------------- */

struct lxcore_files {
	size_t size;             /* sizeof(struct lxcore_files) */
	bool into;               /* from the host into the container; else out of it */
	const char *const *from; /* paths, ended by NULL; one that ends in "/." is its contents */
	const char *to;          /* a path; a copy goes there, or into it if it is a directory */
	int fd;                  /* instead of the host's side: one file is read from it, or written to
				    it; -1: none */
	bool recursive;          /* directories too, and links as what they are; else these are
				    followed, in the container never out of it */
	bool archive;            /* with mode, owner, times and extended attributes as they are; owners
				    go through the container's id map */
	bool special;            /* devices, too; and, out of a container, setuid, setgid and file
				    capabilities with 'archive' */
	uid_t uid;               /* whose they become: ids inside when 'into', else of the host;
				    -1: root of the container, else the caller, or as 'archive' says */
	gid_t gid;
	mode_t mask;             /* bits that files do not get without 'archive', umask(2) */
	bool (*progress)(const struct lxcore_progress *p, void *data); /* false cancels; or NULL */
	void *data;
};
#define LXCORE_FILES_INIT {.size = sizeof(struct lxcore_files), .fd = -1, .uid = (uid_t)-1, \
	.gid = (gid_t)-1, .mask = 022}
struct lxcore_filed {
	uint64_t files, bytes; /* everything that has a name; of contents */
	uint64_t devices;      /* left out */
};
/*
 * Copy files between the host and a container, running or stopped; of a running one all that its
 * processes see, of a stopped one its root filesystem.  No path and no link of the container leads out
 * of it.  What is there is replaced when all of the new is there; directories are merged.  'ret' may
 * be NULL.  ENOTSUP: what a kernel makes up (/proc, /sys) is no file to be copied; EISDIR, ENOTDIR,
 * ENOENT.
 */
LXCORE_API int lxcore_files_copy(lxcore_container *c, const struct lxcore_files *how,
				 struct lxcore_filed *ret, lxcore_error *err);

/* ---- containers on their way to other machines -------------------------------------------------- */

struct lxcore_export {
	size_t size;          /* sizeof(struct lxcore_export) */
	int fd;               /* the archive is written to it: a file, a pipe, a socket */
	bool allow_running;   /* a running container is frozen meanwhile; else EBUSY */
	int level;            /* of zstd, 1 to 19; 0: 3 */
	unsigned threads;     /* that compress; 0: one */
	bool (*progress)(const struct lxcore_progress *p, void *data); /* false cancels; or NULL */
	void *data;
	bool no_snapshots;    /* its snapshots stay here */
};
#define LXCORE_EXPORT_INIT {.size = sizeof(struct lxcore_export), .fd = -1, .allow_running = true}
struct lxcore_exported {
	uint64_t bytes, files;  /* of contents; everything that has a name */
	uint64_t archive_bytes; /* that were written */
	uint64_t sockets;       /* left out: an archive has none */
	unsigned pause_us;      /* how long a running container stood still; 0: it did not run */
	unsigned snapshots;     /* that are in it */
};
/*
 * Write the container as one stream, tar in zstd: its configuration, the files beside it, its root
 * filesystem and its snapshots, with manifest and end mark (doc/archive.md).  Ids are those inside.
 * 'ret' may be NULL.
 * EPIPE: the reader has ended; ENOSPC: no room for the archive; ECANCELED; EOVERFLOW: a file's owner
 * is not in the container's id map.
 */
LXCORE_API int lxcore_export(lxcore_container *c, const struct lxcore_export *how,
			     struct lxcore_exported *ret, lxcore_error *err);

struct lxcore_import {
	size_t size;          /* sizeof(struct lxcore_import) */
	int fd;               /* the archive is read from it: a file, a pipe, a socket */
	const char *name;     /* of the new container; NULL: as it was called */
	const char *config;   /* file: its configuration instead of the archive's; NULL: that */
	const char *const *settings; /* "KEY=VALUE" set in its configuration, ended by NULL; or NULL */
	const char *storage;  /* of its root filesystem, as lxc-create -B has it; NULL: dir */
	bool devices;         /* device nodes are made; else left out */
	bool trust;           /* as if it were our own: whole configuration, devices, all attributes */
	uint64_t max_bytes;   /* most bytes of all files together; 0: 256 GiB */
	uint64_t max_files;   /* most names; 0: 4000000 */
	bool (*progress)(const struct lxcore_progress *p, void *data); /* false cancels; or NULL */
	void *data;
};
#define LXCORE_IMPORT_INIT {.size = sizeof(struct lxcore_import), .fd = -1}
struct lxcore_imported {
	char *name;            /* of the new container */
	uint64_t bytes, files;
	uint64_t archive_bytes;
	uint64_t devices;      /* left out */
	unsigned snapshots;
};
/*
 * Make a container of an archive that lxcore_export() wrote.  It may be hostile: nothing of it gets
 * out of the new container's root filesystem and directory, and nothing is a container before the
 * last byte was there and the manifest was right.  Owners are shifted to the new one's id map.
 * EEXIST: there is such a container; EPERM: the configuration reaches beyond the container and is not
 * trusted; EBADMSG: the archive is damaged; EPIPE: it is cut off; EFBIG: it is larger than allowed.
 */
LXCORE_API int lxcore_import(const char *lxcpath, const struct lxcore_import *how,
			     struct lxcore_imported *ret, lxcore_error *err);
LXCORE_API void lxcore_imported_free(struct lxcore_imported *r);

#ifdef __cplusplus
}
#endif
#endif
