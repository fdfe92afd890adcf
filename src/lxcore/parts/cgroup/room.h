/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the cgroup room share with each other and with nobody else. */
#ifndef LXCORE_PARTS_CGROUP_ROOM_H
#define LXCORE_PARTS_CGROUP_ROOM_H

#include "parts/cgroup/cgroup.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_MAX (CGROUP_MAX_V1 + 1)

struct cgroup_conf {
	struct conf_pairs v1, v2; /* lxc.cgroup.* and lxc.cgroup2.*: file -> value, in order */
	char *dir, *dir_monitor, *dir_pivot, *dir_container, *dir_inner;
	bool relative;
};
extern const struct conf_section cgroup_section;

/* ---- layout.c: the hierarchies of this host ---- */

struct cgroup_hierarchy {
	bool v2;
	char dir[64];            /* mount point below CGROUP_ROOT; "": CGROUP_ROOT itself */
	const char *controllers; /* as the kernel lists them: "cpu,cpuacct", "name=systemd"; v2: "" */
	const char *base;        /* below the mount point, without '/' at its ends; "": its root */
	bool init_scope;         /* /init.scope was cut from 'base': process 1 is one below */
};
struct cgroup_layout {
	char *text; /* what 'controllers' and 'base' point into */
	bool unified;
	size_t n;
	struct cgroup_hierarchy v[CGROUP_MAX];
};
enum cgroup_whose { CGROUP_OF_INIT, CGROUP_OF_SELF };

/* 'use': the wanted v1 controllers, separated by commas, or NULL: all.  0, or -1. */
int cgroup_layout_read(struct cgroup_layout *l, enum cgroup_whose whose, const char *use,
		       struct error *err);
/* Where a process is that may be anybody's. */
int cgroup_layout_read_process(struct cgroup_layout *l, pid_t pid, struct error *err);
/* Where containers of this configuration go, lxc.cgroup.use of lxc.conf considered. */
int cgroup_layout_of(struct cgroup_layout *l, const struct cgroup_conf *c, struct error *err);
void cgroup_layout_free(struct cgroup_layout *l);
#define autolayout __attribute__((cleanup(cgroup_layout_free)))
/* CGROUP_ROOT/dir/base/tail, without what is empty; NULL when memory ran out. */
char *cgroup_path(const struct cgroup_hierarchy *h, const char *tail);
/* Is 'word' an item of a list separated by commas or blanks? */
bool cgroup_lists(const char *list, const char *word);
/* The mount points alone, as if the container were the root of every hierarchy. */
int cgroup_layout_roots(const struct cgroup_layout *l, struct cgroup_running *ret,
			struct strv *owner);

/* ---- names.c ---- */

struct cgroup_names {
	char *payload;      /* relative to the base */
	const char *inner;  /* or NULL */
	const char *monitor, *pivot; /* or NULL */
	bool exact;         /* given by the user: never suffixed */
};
/* Relative, without '.' and '..'. */
bool cgroup_stays_inside(const char *path);
int cgroup_names_of(struct cgroup_names *ret, const struct cgroup_conf *c, const char *name,
		    struct error *err);

/* ---- make.c ---- */

struct cgroup_boot {
	struct cgroup_layout layout; /* hierarchies that could not be used are taken out */
	struct cgroup_running at;    /* payload directories, where limits are set */
	struct {
		char *path; /* payload directory */
		char *own;  /* the container's: the same, or its inner child */
		int tasks;  /* v1: the file by which the first process joins; -1 */
	} v[CGROUP_MAX];            /* one for each hierarchy of 'layout' */
};

int cgroup_make(struct boot *b, struct cgroup_boot *c, const struct cgroup_names *names,
		struct error *err);
/* After the limits (a v1 cpuset's child must fit into it): the inner child; what to join by. */
int cgroup_open_doors(struct boot *b, struct cgroup_boot *c, struct error *err);
/*
 * Directories above a payload that some boot of ours made carry the sticky bit: it means nothing
 * to the kernel here, costs no system call, and lets the last container below remove the directory
 * while one that the administrator made stays.
 */
#define CGROUP_PARENT_MODE 01755
bool cgroup_is_our_parent(const char *path);
/* Close and free what the boot needed. */
void cgroup_boot_end(struct boot *b);
/* Make what is missing above 'path' (which is below a hierarchy's base) and mark it as ours. */
int cgroup_make_parents(struct boot *b, const struct cgroup_hierarchy *h, const char *path,
			struct error *err);
int cgroup_fill_cpuset(const char *path, struct error *err);
int cgroup_chown(const struct boot *b, struct error *err);

/* ---- monitor.c ---- */

int cgroup_monitor_enter(struct boot *b, const struct cgroup_layout *l, struct error *err);
void cgroup_monitor_leave(const struct journal *j);

/* ---- scope.c ---- */

struct bus;
/* A scope for that process, over a bus that is open (cgroup_scope_make() without finding it). */
int cgroup_scope_ask(struct bus *b, const char *name, pid_t pid, struct error *err);
/* Containers go beside the supervisor's corner of a scope. */
void cgroup_scope_leave_leaf(struct cgroup_layout *l);
/* Have a process put into a cgroup of a scope; ENOENT: it is in none. */
int cgroup_scope_attach(const char *path, pid_t pid, struct error *err);

/* ---- limits.c, translate.c ---- */

enum cgroup_version { CGROUP_V1 = 1, CGROUP_V2 = 2 };

/* Which kind of hierarchy has this controller here; 0: neither. */
int cgroup_home(const struct cgroup_running *at, const char *controller);
/* The error for that; -1. */
int cgroup_no_controller(const struct cgroup_running *at, const char *controller,
			 struct error *err);
/* The v1 directory for a file; NULL: none. */
const char *cgroup_v1_dir(const struct cgroup_running *at, const char *file);
void cgroup_controller_of(const char *file, char ret[32]);
/* Set one file by its name of 'version', translated when the controller is of the other. */
int cgroup_limit(const struct cgroup_running *at, enum cgroup_version version, const char *file,
		 const char *value, struct error *err);
/* All limits of a configuration but the devices. */
int cgroup_limits_check(const struct conf *conf, struct error *err);
int cgroup_limits_set(const struct cgroup_running *at, const struct conf *conf, struct error *err);
/* Make a controller's files appear in a v2 directory. */
int cgroup_v2_enable(const char *dir, const char *controller, const char *file, struct error *err);

/* One write that a translated setting needs. */
struct cgroup_write {
	char file[96], value[160];
};
#define CGROUP_MAX_WRITES 8
/*
 * What to write instead, when 'file' is of 'version' and the host's controller is of the other.
 * 'at' is asked for present values; NULL: only tell whether it can be said at all.
 * The count, or -1 with an error that gives the reason.
 */
int cgroup_translate(const struct cgroup_running *at, enum cgroup_version version,
		     const char *file, const char *value,
		     struct cgroup_write ret[CGROUP_MAX_WRITES], struct error *err);
/* Read by the other version's name; NULL: no such thing (nothing in err). */
char *cgroup_translate_get(const struct cgroup_running *at, const char *file);
/* A control file's text without the last newline; NULL with errno. */
char *cgroup_read(const char *dir, const char *file);
/* Write; 0, or -1 with errno. */
int cgroup_write(const char *dir, const char *file, const char *value);

/* ---- devices.c, devices_bpf.c ---- */

struct device_rule {
	bool allow;
	char type;        /* 'b', 'c', 'a': both */
	int major, minor; /* -1: any */
	unsigned access;  /* DEVICE_* */
};
enum { DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4 }; /* as BPF_DEVCG_ACC_* */
struct device_rules {
	bool allow_rest; /* what no rule names */
	bool decided;    /* the first rule was read */
	size_t n;
	struct device_rule *v; /* the last that fits decides */
};
void device_rules_free(struct device_rules *r);
#define autorules __attribute__((cleanup(device_rules_free)))
/* Add one setting of devices.allow or devices.deny. */
int device_rules_add(struct device_rules *r, bool allow, const char *value, struct error *err);
/* As the kernel's v1 devices files take it ("c 1:3 rwm", "a"). */
void device_rule_text(const struct device_rule *rule, char text[64]);

struct bpf_insn;
/* The program; *ret is to be freed; the count of instructions or -1. */
int device_program(const struct device_rules *r, struct bpf_insn **ret);
/* Load and attach it to a v2 directory, in the place of one that was there. */
int device_program_attach(const char *dir, const struct device_rules *r, struct error *err);

int cgroup_devices_check(const struct conf *conf, struct error *err);
int cgroup_devices_set(const struct cgroup_running *at, const struct boot *b, struct error *err);
int cgroup_devices_change(const struct cgroup_running *at, int rundir, bool allow,
			  const char *value, struct error *err);
char *cgroup_devices_list(const struct cgroup_running *at, int rundir);

/* ---- stats.c ---- */

/* The number behind a word at the start of a line, "usage_usec 1234"; -1: there is none. */
int64_t cgroup_word(const char *text, const char *word);

/* ---- remove.c ---- */

void cgroup_release(const struct release *r);

#endif
