/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What makes a clone one of its own.  Its files belong to somebody else, and may be anything: they are
 * opened below the root's descriptor, and only regular ones of a sensible size are touched.
 */
#include "store/identity.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/tree.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define MOST_BYTES 65536

/* ---- files of the clone ---- */

/* A regular file, to be read and written; -1 with errno (ENOENT: none of that kind is there). */
static int open_file(int root, const char *path)
{
	/* Nothing that blocks: it could be a fifo. */
	autoclose int fd = path_open_in(root, path, O_RDWR | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;

	if (fd < 0) {
		if (errno == ENOTDIR || errno == ELOOP || errno == ENXIO || errno == EISDIR)
			errno = ENOENT;
		return -1;
	}
	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_size > MOST_BYTES) {
		errno = ENOENT;
		return -1;
	}
	return steal_fd(&fd);
}

static int write_file(int fd, const char *path, const char *text, struct error *err)
{
	size_t n = strlen(text);

	/* Longer first: a full disk is noticed before anything is lost. */
	if (pwrite(fd, text, n, 0) != (ssize_t)n || ftruncate(fd, (off_t)n) < 0)
		return error_sys(err, "cannot write the clone's /%s", path);
	return 0;
}

static int replace(int root, const char *path, const char *text, struct error *err)
{
	autoclose int fd = open_file(root, path);

	if (fd < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot open the clone's /%s", path);
	return write_file(fd, path, text, err);
}

/* ---- the name ---- */

static bool is_name_character(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-_.", c));
}

/* Where 'word' stands as a whole one (a domain may follow); NULL: nowhere. */
static const char *find_word(const char *text, const char *at, const char *word)
{
	size_t n = strlen(word);

	for (; (at = strstr(at, word)); at++)
		if ((at == text || !is_name_character(at[-1])) &&
		    (at[n] == '.' || !is_name_character(at[n])))
			return at;
	return NULL;
}

static int replace_word(int root, const char *path, const char *old, const char *new,
			struct error *err)
{
	autoclose int fd = open_file(root, path);
	autobuf struct buf text = BUF_INIT, out = BUF_INIT;
	const char *at, *next;

	if (fd < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot open the clone's /%s", path);
	if (fd_read_all(fd, &text, MOST_BYTES) < 0)
		return error_sys(err, "cannot read the clone's /%s", path);
	/* With a NUL in it it is no text. */
	if (!text.s || strlen(text.s) != text.len || !find_word(text.s, text.s, old))
		return 0;
	for (at = text.s; (next = find_word(text.s, at, old)); at = next + strlen(old)) {
		buf_add(&out, at, (size_t)(next - at));
		buf_puts(&out, new);
	}
	buf_puts(&out, at);
	return out.failed ? error_set(err, ENOMEM, "out of memory") :
			    write_file(fd, path, out.s, err);
}

int identity_rename(int root, const char *old, const char *new, struct error *err)
{
	/* Where distributions write a host's own name, besides /etc/hostname. */
	static const char *const others[] = {"etc/hosts", "etc/sysconfig/network", "etc/HOSTNAME",
					     "etc/mailname", "etc/conf.d/hostname"};
	autofree char *line = str_printf("%s\n", new);

	if (!line || replace(root, "etc/hostname", line, err) < 0)
		return line ? -1 : error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; old && i < ARRAY_SIZE(others); i++)
		if (replace_word(root, others[i], old, new, err) < 0)
			return -1;
	return 0;
}

/* ---- the machine id, machine-id(5) ---- */

static int random_hex(char *out, size_t bytes, struct error *err)
{
	unsigned char raw[16];

	if (getrandom(raw, bytes, 0) != (ssize_t)bytes)
		return error_sys(err, "cannot get random bytes");
	for (size_t i = 0; i < bytes; i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

int identity_new_machine_id(int root, struct error *err)
{
	char id[2 * 16 + 2];

	if (random_hex(id, 16, err) < 0)
		return -1;
	/* As of a random UUID of version 4. */
	id[12] = '4';
	id[16] = "89ab"[id[16] & 3];
	strcat(id, "\n");
	/* Mostly the second is a link to the first; then this writes the same again. */
	return replace(root, "etc/machine-id", id, err) < 0 ||
	       replace(root, "var/lib/dbus/machine-id", id, err) < 0 ? -1 : 0;
}

/* ---- MAC addresses ---- */

static int new_mac(struct conf *conf, const char *key, struct error *err)
{
	autobuf struct buf old = BUF_INIT;
	char tail[2 * 3 + 1];
	autofree char *mac = NULL;

	if (conf_get(conf, key, &old, err) < 0)
		return -1;
	/* What is no whole address is a pattern, chosen anew at each start. */
	if (old.len != 17 || strpbrk(old.s, "xX"))
		return 0;
	if (random_hex(tail, 3, err) < 0)
		return -1;
	mac = str_printf("%.8s:%.2s:%.2s:%.2s", old.s, tail, tail + 2, tail + 4);
	return mac ? conf_set(conf, key, mac, err) : error_set(err, ENOMEM, "out of memory");
}

int identity_new_macs(struct conf *conf, struct error *err)
{
	autostrv struct strv keys = {0};

	if (conf_list_keys(conf, "lxc.net.", &keys) < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < keys.n; i++)
		if (str_ends(keys.v[i], ".hwaddr") && new_mac(conf, keys.v[i], err) < 0)
			return -1;
	return 0;
}

/* ---- ssh host keys ---- */

static int make_key(const char *file, const char *type, const char *name, struct error *err)
{
	autofree char *comment = str_printf("root@%s", name);
	const char *argv[] = {"ssh-keygen", "-q", "-t", type, "-N", "", "-C", comment,
			      "-f", file, NULL};
	struct proc_run run = {.argv = argv, .timeout_ms = 60000};
	autobuf struct buf said = BUF_INIT;
	int status = proc_run(&run, &said, err);

	if (status == 0)
		return 0;
	if (status > 0)
		error_set(err, ECHILD, "ssh-keygen failed: %s", said.s ? said.s : "");
	error_within(err, "cannot make new ssh host keys");
	return error_mend(err, "apt-get install openssh-client      (brings ssh-keygen)");
}

/* Into the clone, over the old one. */
static int move_key(int root, const char *from, const char *path, struct error *err)
{
	autobuf struct buf text = BUF_INIT;

	if (file_read(AT_FDCWD, from, &text) < 0)
		return error_sys(err, "cannot read the new ssh host key");
	return replace(root, path, text.s, err);
}

static int new_key(int root, const char *dir, const char *type, const char *name, struct error *err)
{
	autofree char *inside = str_printf("etc/ssh/ssh_host_%s_key", type);
	autofree char *public = str_printf("%s.pub", inside);
	autofree char *file = str_printf("%s/%s", dir, type), *file_pub = str_printf("%s.pub", file);
	autoclose int there = inside ? open_file(root, inside) : -1;

	if (!inside || !public || !file || !file_pub)
		return error_set(err, ENOMEM, "out of memory");
	if (there < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot open the clone's /%s", inside);
	return make_key(file, type, name, err) < 0 || move_key(root, file, inside, err) < 0 ||
	       move_key(root, file_pub, public, err) < 0 ? -1 : 0;
}

int identity_new_ssh_keys(int root, const char *name, struct error *err)
{
	static const char *const types[] = {"rsa", "ecdsa", "ed25519"};
	char dir[] = "/tmp/lxc-keys.XXXXXX";
	int result = 0;

	if (!mkdtemp(dir))
		return error_sys(err, "cannot make a directory for new ssh host keys");
	for (size_t i = 0; result == 0 && i < ARRAY_SIZE(types); i++)
		result = new_key(root, dir, types[i], name, err);
	tree_remove(AT_FDCWD, dir, NULL);
	return result;
}
