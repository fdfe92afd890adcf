/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration that an archive brings along.  Its paths are those of another machine; and since
 * a configuration can run programs on the host and show it to the container, only what stays within
 * the container is taken from an archive that is not trusted.
 */
#include "base/error.h"
#include "store/transfer.h"
#include "base/fd.h"
#include "config/global.h"
#include "config/legacy.h"
#include "parts/mount_entry.h"

#include <string.h>

#define BLANKS " \t\r\f\v"

/* ---- paths ---- */

static bool is_name_end(char c)
{
	return !c || strchr("/ \t\r\n\f\v:\"'", c);
}

/* Whole names alone: "/a/web" is not in "/a/web2". */
static char *replace(const char *text, const char *from, const char *to)
{
	struct buf out = BUF_INIT;
	const char *at = text, *next;
	size_t n = strlen(from);

	buf_puts(&out, "");
	while (n > 1 && strcmp(from, to) != 0 && (next = strstr(at, from))) {
		bool whole = is_name_end(next[n]) &&
			     (next == text || strchr(BLANKS "=:\"'\n", next[-1]));

		buf_add(&out, at, (size_t)(next - at));
		buf_puts(&out, whole ? to : from);
		at = next + n;
	}
	buf_puts(&out, at);
	return buf_steal(&out);
}

char *transfer_config_moved(const char *text, const struct transfer_head *h, const char *dir)
{
	const char *const pairs[][2] = {
		{h->dir, dir},
		{h->configdir, LXCORE_CONFIGDIR},
		{h->hookdir, LXCORE_HOOKDIR},
	};
	char *now = strdup(text);

	for (size_t i = 0; now && i < ARRAY_SIZE(pairs); i++) {
		char *next = pairs[i][0] ? replace(now, pairs[i][0], pairs[i][1]) : strdup(now);

		free(now);
		now = next;
	}
	return now;
}

/* ---- what may come along ---- */

static bool any(const char *value)
{
	return true;
}

/* Files that this installation brought. */
static bool is_shipped(const char *value)
{
	return str_starts(value, LXCORE_CONFIGDIR "/") && !strstr(value, "..");
}

static bool is_own_interface(const char *value)
{
	static const char *const types[] = {"veth", "empty", "macvlan", "ipvlan", "vlan"};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(value, types[i]) == 0)
			return true;
	return !*value;
}

/* What is the host's own in /proc and /sys stays read-only. */
static bool is_guarded_mount(const char *value)
{
	autostrv struct strv words = {0};

	if (strv_split(&words, value, BLANKS) < 0)
		return false;
	for (size_t i = 0; i < words.n; i++) {
		const char *colon = strchr(words.v[i], ':');
		size_t n = colon ? (size_t)(colon - words.v[i]) : strlen(words.v[i]);
		bool open = colon && strcmp(colon, ":rw") == 0;

		if (!(n == 4 && memcmp(words.v[i], "proc", n) == 0) &&
		    !(n == 3 && memcmp(words.v[i], "sys", n) == 0) &&
		    strcmp(words.v[i], "cgroup:mixed") != 0 && strcmp(words.v[i], "cgroup:ro") != 0)
			return false;
		if (open || (colon && strncmp(colon, ":rw", 3) == 0))
			return false;
	}
	return true;
}

/*
 * Filesystems that are made for the container and hold nothing of the host's; and the list of security
 * modules, which is for reading.
 */
static bool is_own_mount(const char *value)
{
	struct mount_entries list = {0};
	bool own = mount_entries_add(&list, value, NULL, NULL) == 0 && list.n == 1;
	const struct mount_entry *e = own ? &list.v[0] : NULL;

	if (e && (strcmp(e->fstype, "tmpfs") == 0 || strcmp(e->fstype, "mqueue") == 0))
		own = !e->options.bind && !e->options.move && !e->options.remount && !e->options.idmap;
	else if (e)
		own = strcmp(e->source, "/sys/kernel/security") == 0 && !e->relative &&
		      e->options.bind && !e->options.move && !e->options.idmap &&
		      e->options.change.set & MOUNT_ATTR_RDONLY;
	mount_entries_free(&list);
	return own;
}

/* In the order in which they are asked; a name that ends in a dot is that of a family. */
static const struct rule {
	const char *key;
	bool (*allows)(const char *value); /* NULL: it is not allowed */
} rules[] = {
	{"lxc.include", is_shipped},
	{"lxc.seccomp.profile", is_shipped},
	{"lxc.mount.auto", is_guarded_mount},
	{"lxc.mount.entry", is_own_mount},
	{"lxc.rootfs.path", any}, /* another takes its place */
	{"lxc.arch", any}, {"lxc.uts.name", any}, {"lxc.ephemeral", any}, {"lxc.idmap", any},
	{"lxc.autodev", any}, {"lxc.autodev.tmpfs.size", any},
	{"lxc.tty.", any}, {"lxc.pty.max", any},
	{"lxc.console.buffer.size", any}, {"lxc.console.size", any}, {"lxc.console.rotate", any},
	{"lxc.init.", any}, {"lxc.execute.cmd", any}, {"lxc.signal.", any},
	{"lxc.start.", any}, {"lxc.group", any}, {"lxc.environment", any},
	{"lxc.environment.runtime", any},
	{"lxc.no_new_privs", any}, {"lxc.cap.drop", any}, {"lxc.prlimit.", any},
	{"lxc.limit.", any},
	{"lxc.keyring.session", any}, {"lxc.log.level", any}, {"lxc.sched.core", any},
	{"lxc.time.offset.", any},
	{"lxc.cgroup.devices.deny", any}, {"lxc.cgroup2.devices.deny", any},
	{"lxc.cgroup.devices.", NULL}, {"lxc.cgroup2.devices.", NULL},
	{"lxc.cgroup.dir", NULL}, {"lxc.cgroup.dir.", NULL}, {"lxc.cgroup.relative", NULL},
	{"lxc.cgroup.", any}, {"lxc.cgroup2.", any},
};

/* Members of lxc.net.N. */
static const struct rule net_rules[] = {
	{"type", is_own_interface},
	{"link", any}, {"flags", any}, {"name", any}, {"hwaddr", any}, {"mtu", any},
	{"l2proxy", any}, {"ipv4.", any}, {"ipv6.", any}, {"publish", any}, {"veth.mode", any},
	{"veth.vlan.", any}, {"veth.pair", any}, {"macvlan.", any}, {"ipvlan.", any},
	{"vlan.", any},
};

static bool allows(const struct rule *v, size_t n, const char *key, const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (str_ends(v[i].key, ".") ? str_starts(key, v[i].key) :
					      strcmp(key, v[i].key) == 0)
			return v[i].allows && v[i].allows(value);
	return false;
}

static bool is_harmless(const char *key, const char *value)
{
	const char *member;

	/* An empty value takes settings back. */
	if (!*value && strcmp(key, "lxc.cap.drop") != 0)
		return true;
	if (!str_starts(key, "lxc.net."))
		return allows(rules, ARRAY_SIZE(rules), key, value);
	member = key + strlen("lxc.net.");
	member += strspn(member, "0123456789");
	return *member == '.' && allows(net_rules, ARRAY_SIZE(net_rules), member + 1, value);
}

static char *trim(char *text)
{
	size_t n;

	text += strspn(text, BLANKS);
	n = strlen(text);
	while (n && strchr(BLANKS, text[n - 1]))
		text[--n] = '\0';
	if (n > 1 && (*text == '"' || *text == '\'') && text[n - 1] == *text) {
		text[n - 1] = '\0';
		text++;
	}
	return text;
}

/* Key and value of a line, which is cut; false: it is no setting. */
static bool read_line(char *line, char **ret_key, char **ret_value)
{
	char *equals;

	/* Bytes that mark the order of bytes are skipped where it is read, too. */
	while (str_starts(line, "\xef\xbb\xbf"))
		line += 3;
	line += strspn(line, BLANKS);
	equals = strchr(line, '=');
	if (!str_starts(line, "lxc.") || !equals)
		return false; /* or one that will not be understood */
	*equals = '\0';
	*ret_key = trim(line);
	*ret_value = trim(equals + 1);
	return true;
}

/* What this host gives each new container anyway is no reach: 'KEY=VALUE' of lxc.default_config. */
static int read_defaults(struct strv *ret)
{
	autofree char *file = NULL;
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv lines = {0};

	if (global_get("lxc.default_config", &file, NULL) < 0 || !file ||
	    file_read(AT_FDCWD, file, &text) < 0)
		return 0;
	if (strv_split(&lines, text.s, "\n") < 0)
		return -1;
	for (size_t i = 0; i < lines.n; i++) {
		char *key, *value;

		if (read_line(lines.v[i], &key, &value) &&
		    strv_take(ret, str_printf("%s=%s", key, value)) < 0)
			return -1;
	}
	return 0;
}

static bool is_default(const struct strv *defaults, const char *key, const char *value)
{
	autofree char *setting = str_printf("%s=%s", key, value);

	return setting && strv_has(defaults, setting);
}

/* 'line' is cut. */
static int check_line(char *line, unsigned number, unsigned *nics, const struct strv *defaults,
		      struct error *err)
{
	autobuf struct buf now = BUF_INIT;
	char *key, *value;

	if (!read_line(line, &key, &value))
		return 0;
	if (legacy_rename(nics, key, &now) && now.failed)
		return error_set(err, ENOMEM, "out of memory");
	if (now.s && !*now.s)
		return 0; /* a key that means nothing any more */
	if (is_harmless(now.s ? now.s : key, value) ||
	    is_default(defaults, now.s ? now.s : key, value))
		return 0;
	error_set(err, EPERM, "cannot take the configuration of the archive: %s in its line %u "
		  "reaches beyond the container", key, number);
	return error_mend(err, "lxc-import -f FILE      (a configuration of your own)\n"
			  "lxc-import --trust      (if the archive is as good as your own)");
}

int transfer_config_check(const char *text, struct error *err)
{
	autofree char *copy = strdup(text);
	autostrv struct strv defaults = {0};
	unsigned nics = 0, number = 0;

	if (!copy || read_defaults(&defaults) < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (char *line = copy, *end; line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		if (check_line(line, ++number, &nics, &defaults, err) < 0)
			return -1;
	}
	return 0;
}
