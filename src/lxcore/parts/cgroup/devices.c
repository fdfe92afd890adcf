/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which device nodes the container may make and open: devices.allow and devices.deny.
 *
 * On v1 they are written to the files of the devices hierarchy; on v2 they become a BPF program
 * (devices_bpf.c).  Where both families of keys are configured the one that fits is used.  A host
 * with v1 devices and a v2 hierarchy beside it serves lxc.cgroup2.devices.* by the program.
 *
 * The rules of a program cannot be read back from the kernel, so they are kept in the run directory
 * ("devices", a line 'allow RULE' or 'deny RULE' each) for a later change by lxc-cgroup.
 */
#include "parts/cgroup/room.h"

#include "base/buf.h"
#include "base/fd.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define RULES_FILE "devices"

void device_rules_free(struct device_rules *r)
{
	free(steal_ptr(&r->v));
	r->n = 0;
}

/* ---- reading rules ---- */

static bool read_number(const char *word, int *ret)
{
	unsigned long long n;

	if (strcmp(word, "*") == 0)
		return *ret = -1, true;
	if (!str_to_u64(word, &n) || n > 0xfffff)
		return false;
	return *ret = (int)n, true;
}

static bool read_access(const char *word, unsigned *ret)
{
	for (*ret = 0; *word; word++) {
		unsigned bit = *word == 'r' ? DEVICE_READ : *word == 'w' ? DEVICE_WRITE
			     : *word == 'm' ? DEVICE_MKNOD : 0;

		if (!bit)
			return false;
		*ret |= bit;
	}
	return *ret != 0;
}

static int read_path(const char *path, struct device_rule *ret, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return error_sys(err, "cannot look at the device \"%s\"", path);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_set(err, EINVAL, "\"%s\" is not a device", path);
	ret->type = S_ISCHR(st.st_mode) ? 'c' : 'b';
	ret->major = (int)major(st.st_rdev);
	ret->minor = (int)minor(st.st_rdev);
	return 0;
}

/* "a" | "TYPE MAJOR:MINOR [ACCESS]" | "/dev/PATH [ACCESS]"; what follows is left alone. */
static int read_rule(const char *value, struct device_rule *ret, struct error *err)
{
	autostrv struct strv words = {0};
	char *minor, *access;

	*ret = (struct device_rule){.type = 'a', .major = -1, .minor = -1, .access = 7};
	if (strv_split(&words, value, " \t\n") < 0)
		return error_set(err, ENOMEM, "cannot read a device rule: out of memory");
	if (words.n == 1 && strcmp(words.v[0], "a") == 0)
		return 0;
	if (words.n && *words.v[0] == '/') {
		if (read_path(words.v[0], ret, err) < 0)
			return -1;
		access = words.n > 1 ? words.v[1] : "rwm";
	} else {
		minor = words.n > 1 ? strchr(words.v[1], ':') : NULL;
		access = words.n > 2 ? words.v[2] : "rwm";
		if (minor)
			*minor++ = '\0';
		if (!minor || strlen(words.v[0]) != 1 || !strchr("abc", *words.v[0]) ||
		    !read_number(words.v[1], &ret->major) || !read_number(minor, &ret->minor))
			return error_set(err, EINVAL, "\"%.80s\" is not a device rule (such as "
					 "\"c 1:3 rwm\", \"/dev/fuse rw\", \"a\")", value);
		ret->type = *words.v[0];
	}
	if (!read_access(access, &ret->access))
		return error_set(err, EINVAL, "\"%.80s\" is not a device rule: access \"%.20s\" is not "
				 "of r, w and m", value, access);
	return 0;
}

static bool is_everything(const struct device_rule *r)
{
	return r->type == 'a' && r->major < 0 && r->minor < 0 && r->access == 7;
}

int device_rules_add(struct device_rules *r, bool allow, const char *value, struct error *err)
{
	struct device_rule rule, *v;

	if (read_rule(value, &rule, err) < 0)
		return -1;
	rule.allow = allow;
	if (is_everything(&rule)) {
		r->n = 0;
		r->allow_rest = allow;
		r->decided = true;
		return 0;
	}
	/* A list that begins with what may be used means that the rest may not, and vice versa. */
	if (!r->decided)
		r->allow_rest = !allow;
	r->decided = true;
	v = realloc(r->v, (r->n + 1) * sizeof(*v));
	if (!v)
		return error_set(err, ENOMEM, "cannot keep a device rule: out of memory");
	r->v = v;
	v[r->n++] = rule;
	return 0;
}

void device_rule_text(const struct device_rule *rule, char text[64])
{
	char major[12] = "*", minor[12] = "*";

	if (is_everything(rule)) {
		strcpy(text, "a");
		return;
	}
	if (rule->major >= 0)
		snprintf(major, sizeof(major), "%d", rule->major);
	if (rule->minor >= 0)
		snprintf(minor, sizeof(minor), "%d", rule->minor);
	snprintf(text, 64, "%c %s:%s %s%s%s", rule->type, major, minor,
		 rule->access & DEVICE_READ ? "r" : "", rule->access & DEVICE_WRITE ? "w" : "",
		 rule->access & DEVICE_MKNOD ? "m" : "");
}

/* ---- the rules of a configuration ---- */

/* 1: allow, 0: deny, -1: it is neither. */
static int is_rule(const struct conf_pair *p)
{
	return strcmp(p->name, "devices.allow") == 0 ? 1 : strcmp(p->name, "devices.deny") == 0 ? 0
									     : -1;
}

static size_t count_rules(const struct conf_pairs *pairs)
{
	size_t n = 0;

	for (size_t i = 0; i < pairs->n; i++)
		n += is_rule(&pairs->v[i]) >= 0;
	return n;
}

static int blame(const struct conf *conf, const char *family, const char *file, struct error *err)
{
	autofree char *key = str_printf("%s.%s", family, file);
	const char *where = key ? conf_where(conf, key) : NULL;
	struct error why = err ? *err : (struct error){0};

	error_set(err, why.code, "%s (%s%s%s)", why.text, key ? key : file, where ? ", " : "",
		  where ? where : "");
	return *why.mend ? error_mend(err, "%s", why.mend) : -1;
}

static int check_family(const struct conf *conf, const struct conf_pairs *pairs,
			const char *family, struct error *err)
{
	for (size_t i = 0; i < pairs->n; i++) {
		struct device_rule rule;

		if (!str_starts(pairs->v[i].name, "devices."))
			continue;
		if (is_rule(&pairs->v[i]) < 0) {
			error_set(err, EINVAL, "\"%s\" cannot be set: device rules are devices.allow "
				  "and devices.deny", pairs->v[i].name);
			return blame(conf, family, pairs->v[i].name, err);
		}
		if (read_rule(pairs->v[i].value, &rule, err) < 0)
			return blame(conf, family, pairs->v[i].name, err);
	}
	return 0;
}

int cgroup_devices_check(const struct conf *conf, struct error *err)
{
	const struct cgroup_conf *c = conf_of(conf, &cgroup_section);

	if (check_family(conf, &c->v1, "lxc.cgroup", err) < 0)
		return -1;
	return check_family(conf, &c->v2, "lxc.cgroup2", err);
}

/* ---- v1 ---- */

/* devices.deny and devices.allow of one cgroup, kept open for a list of rules. */
struct v1_files {
	const char *dir;
	int fd[2]; /* by 'allow'; -1: not opened yet */
};

static void close_files(struct v1_files *f)
{
	close_fd(&f->fd[0]);
	close_fd(&f->fd[1]);
}
#define autofiles __attribute__((cleanup(close_files)))

static int write_v1(struct v1_files *f, bool allow, const char *value, struct error *err)
{
	const char *file = allow ? "devices.allow" : "devices.deny";
	struct device_rule rule;
	char text[64];

	if (read_rule(value, &rule, err) < 0)
		return -1;
	device_rule_text(&rule, text);
	if (f->fd[allow] < 0) {
		autofree char *path = str_printf("%s/%s", f->dir, file);

		f->fd[allow] = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;
	}
	if (f->fd[allow] >= 0 && fd_write_all(f->fd[allow], text, strlen(text)) == 0)
		return 0;
	error_sys(err, "cannot write \"%s\" to %s of \"%s\"", text, file, f->dir);
	if (errno == EPERM || errno == EACCES)
		error_mend(err, "lxc.cgroup.devices.allow =      and the same for devices.deny and "
				"lxc.cgroup2, in its configuration (they clear the rules: this host, "
				"itself a container or without privilege, may not set any)");
	return -1;
}

static int set_v1(const char *dir, const struct conf_pairs *pairs, bool first_decides,
		  struct error *err)
{
	autofiles struct v1_files files = {dir, {-1, -1}};

	for (size_t i = 0; i < pairs->n; i++) {
		int allow = is_rule(&pairs->v[i]);

		if (allow < 0)
			continue;
		/* v1 begins with everything allowed, lxc.cgroup2.devices.* as its first rule says. */
		if (first_decides && allow && write_v1(&files, false, "a", err) < 0)
			return -1;
		first_decides = false;
		if (write_v1(&files, allow, pairs->v[i].value, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- v2 ---- */

static int keep_rules(int rundir, const struct device_rules *r, struct error *err)
{
	autobuf struct buf text = BUF_INIT;
	char line[64];

	buf_addf(&text, "%s a\n", r->allow_rest ? "allow" : "deny");
	for (size_t i = 0; i < r->n; i++) {
		device_rule_text(&r->v[i], line);
		buf_addf(&text, "%s %s\n", r->v[i].allow ? "allow" : "deny", line);
	}
	if (text.failed || file_replace(rundir, RULES_FILE, text.s, 0600) < 0)
		return error_sys(err, "cannot keep the device rules in the run directory");
	return 0;
}

static int recall_rules(int rundir, struct device_rules *r, struct error *err)
{
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv lines = {0};

	/* Without rules so far everything is allowed. */
	*r = (struct device_rules){.allow_rest = true, .decided = true};
	if (file_read(rundir, RULES_FILE, &text) < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot read the device rules");
	if (strv_split(&lines, text.s ? text.s : "", "\n") < 0)
		return error_set(err, ENOMEM, "cannot read the device rules: out of memory");
	for (size_t i = 0; i < lines.n; i++) {
		char *space = strchr(lines.v[i], ' ');

		if (space && device_rules_add(r, *lines.v[i] == 'a', space + 1, err) < 0)
			return -1;
	}
	return 0;
}

static int set_program(const struct cgroup_running *at, int rundir,
		       const struct conf_pairs *pairs, bool first_decides, struct error *err)
{
	autorules struct device_rules r = {.allow_rest = true, .decided = !first_decides};

	for (size_t i = 0; i < pairs->n; i++) {
		int allow = is_rule(&pairs->v[i]);

		if (allow >= 0 && device_rules_add(&r, allow, pairs->v[i].value, err) < 0)
			return -1;
	}
	/* Kept first: whoever changes the rules later must know of all that are in force. */
	if (keep_rules(rundir, &r, err) < 0)
		return -1;
	return device_program_attach(at->v2, &r, err);
}

/* ---- doors ---- */

int cgroup_devices_set(const struct cgroup_running *at, const struct boot *b, struct error *err)
{
	const struct cgroup_conf *c = conf_of(b->conf, &cgroup_section);
	const char *v1 = cgroup_v1_dir(at, "devices.deny");
	bool for_v1 = count_rules(&c->v1), for_v2 = count_rules(&c->v2);
	int result;

	if (!for_v1 && !for_v2) {
		/* A reboot may come with fewer rules than the boot before. */
		unlinkat(b->rundir, RULES_FILE, 0);
		return 0;
	}
	if (v1 && (for_v1 || !at->v2))
		result = set_v1(v1, for_v1 ? &c->v1 : &c->v2, !for_v1, err);
	else if (at->v2)
		result = set_program(at, b->rundir, for_v2 ? &c->v2 : &c->v1, for_v2, err);
	else
		result = error_set(err, ENOTSUP, "this host can set no device rules: it has neither "
				   "the v1 controller \"devices\" nor a v2 hierarchy");
	return result < 0 ? blame(b->conf, (v1 && for_v1) || !for_v2 ? "lxc.cgroup" : "lxc.cgroup2",
				  "devices", err) : 0;
}

static bool has_program(int rundir)
{
	return faccessat(rundir, RULES_FILE, F_OK, 0) == 0;
}

int cgroup_devices_change(const struct cgroup_running *at, int rundir, bool allow,
			  const char *value, struct error *err)
{
	const char *v1 = cgroup_v1_dir(at, "devices.deny");
	autofiles struct v1_files files = {v1, {-1, -1}};
	autorules struct device_rules r = {0};

	if (v1 && !has_program(rundir))
		return write_v1(&files, allow, value, err);
	if (!at->v2)
		return error_set(err, ENOTSUP, "this host can set no device rules");
	if (recall_rules(rundir, &r, err) < 0 || device_rules_add(&r, allow, value, err) < 0 ||
	    device_program_attach(at->v2, &r, err) < 0)
		return -1;
	return keep_rules(rundir, &r, err);
}

char *cgroup_devices_list(const struct cgroup_running *at, int rundir)
{
	const char *v1 = cgroup_v1_dir(at, "devices.list");
	autorules struct device_rules r = {0};
	autobuf struct buf out = BUF_INIT;
	char text[64];

	if (v1 && !has_program(rundir))
		return cgroup_read(v1, "devices.list");
	if (recall_rules(rundir, &r, NULL) < 0)
		return NULL;
	/* As v1 shows it: what is allowed; rules that deny, which v1 has not, are marked. */
	if (r.allow_rest)
		buf_puts(&out, "a *:* rwm\n");
	for (size_t i = 0; i < r.n; i++) {
		device_rule_text(&r.v[i], text);
		buf_addf(&out, "%s%s\n", r.v[i].allow ? "" : "!", text);
	}
	if (out.len)
		out.s[--out.len] = '\0';
	return buf_steal(&out);
}
