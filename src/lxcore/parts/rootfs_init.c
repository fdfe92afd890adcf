/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Will the root filesystem's init run here?  Looked up as the kernel will do it, inside the root:
 * through links, a script's interpreter, an ELF program's machine and loader.  A container that
 * cannot start says so, and why, before any process is born.
 */
#include "parts/rootfs_init.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/path.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define HEAD_SIZE 256 /* the kernel looks at as much (BINPRM_BUF_SIZE) */
#define MAX_SCRIPTS 5 /* an interpreter may be a script again; execve(2) allows that often */
#define BINFMT_MISC "/proc/sys/fs/binfmt_misc"

struct lookup { /* where and for whom we look */
	const struct boot *b;
	const char *source; /* the root filesystem's name in messages */
	const char *init;   /* what was asked for */
	int root;
};

/* ---- machines ---- */

static const struct {
	unsigned machine;
	const char *name;
	/* What uname(2) calls hosts that run it; a word each. */
	const char *hosts;
} machines[] = {
	{EM_X86_64, "x86_64", "x86_64"},
	{EM_386, "i386", "x86_64 i386 i486 i586 i686"},
	{EM_AARCH64, "aarch64", "aarch64"},
	{EM_ARM, "arm", "aarch64 armv5tel armv6l armv7l armv8l"},
	{EM_PPC64, "ppc64", "ppc64 ppc64le"},
	{EM_PPC, "ppc", "ppc64 ppc"},
	{EM_S390, "s390x", "s390x s390"},
	{EM_RISCV, "riscv64", "riscv64 riscv32"},
	{EM_MIPS, "mips", "mips mips64"},
	{258 /* EM_LOONGARCH */, "loongarch64", "loongarch64"},
	{EM_SPARCV9, "sparc64", "sparc64"},
};

const char *rootfs_machine_name(unsigned machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].machine == machine)
			return machines[i].name;
	return NULL;
}

static bool is_word_of(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += n)
		if ((at == words || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

/* Unknown hosts and machines get the benefit of the doubt: execve(2) will tell. */
static bool host_runs(const struct utsname *host, unsigned machine, bool little_endian)
{
	bool known_host = false, runs = false;

	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		if (!is_word_of(machines[i].hosts, host->machine))
			continue;
		known_host = true;
		runs |= machines[i].machine == machine;
	}
	return !known_host ||
	       (runs && little_endian == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__));
}

/* ---- binfmt_misc ---- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Byte i of a line of hexadecimal digits; -1: the line is over. */
static int hex_byte(const char *digits, size_t i)
{
	int high = hex_digit(digits[2 * i]), low = high < 0 ? -1 : hex_digit(digits[2 * i + 1]);

	return low < 0 ? -1 : high * 16 + low;
}

/* What follows 'name ' at the start of a line, or NULL. */
static const char *line_of(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, name, n) == 0)
			return at + n;
		if (!*at)
			break;
	}
	return NULL;
}

bool rootfs_binfmt_matches(const char *registration, const unsigned char *head, size_t n)
{
	const char *magic = line_of(registration, "magic "), *mask = line_of(registration, "mask ");
	const char *offset_text = line_of(registration, "offset ");
	size_t offset = offset_text ? strtoul(offset_text, NULL, 10) : 0;

	if (!str_starts(registration, "enabled") || !magic || hex_byte(magic, 0) < 0)
		return false;
	for (size_t i = 0; hex_byte(magic, i) >= 0; i++) {
		int bits = mask ? hex_byte(mask, i) : 0xff;

		if (offset + i >= n || (head[offset + i] & bits) != (hex_byte(magic, i) & bits))
			return false;
	}
	return true;
}

/* The registration's interpreter runs in the container when the kernel holds it open (flag F) or
 * when it is in the root filesystem. */
static bool interpreter_reachable(const struct lookup *l, const char *registration)
{
	const char *flags = line_of(registration, "flags: "),
		   *at = line_of(registration, "interpreter ");
	autofree char *path = at ? strndup(at, strcspn(at, "\n")) : NULL;
	autoclose int fd = -1;

	if (flags && memchr(flags, 'F', strcspn(flags, "\n")))
		return true;
	fd = path ? path_open_in(l->root, path, O_PATH, 0) : -1;
	return fd >= 0;
}

static bool has_binfmt_handler(const struct lookup *l, const unsigned char *head, size_t n)
{
	autodir DIR *d = opendir(BINFMT_MISC);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		autobuf struct buf text = BUF_INIT;

		if (*e->d_name == '.' || strcmp(e->d_name, "register") == 0 ||
		    strcmp(e->d_name, "status") == 0)
			continue;
		if (file_read(dirfd(d), e->d_name, &text) == 0 &&
		    rootfs_binfmt_matches(text.s, head, n) && interpreter_reachable(l, text.s))
			return true;
	}
	return false;
}

/* ---- what may still come ---- */

/* A directory of programs or libraries is mounted there before init runs. */
static bool entry_brings_programs(const char *entry)
{
	static const char *const others[] = {"dev",   "proc", "sys",  "run", "tmp",  "mnt",
					     "media", "srv",  "home", "var", "root", "boot"};
	autostrv struct strv words = {0};
	const char *target;
	size_t n;

	if (strv_split(&words, entry, " \t") < 0 || words.n < 2)
		return false;
	target = words.v[1] + strspn(words.v[1], "/");
	n = strcspn(target, "/");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strlen(others[i]) == n && strncmp(others[i], target, n) == 0)
			return false;
	return true;
}

/* Mount entries and hooks fill the tree later: what is missing now may be there then. */
static bool may_be_filled_later(const struct conf *c)
{
	static const char *const fillers[] = {"lxc.mount.fstab", "lxc.hook.pre-start",
					      "lxc.hook.pre-mount", "lxc.hook.mount"};
	autobuf struct buf entries = BUF_INIT;
	autostrv struct strv lines = {0};

	for (size_t i = 0; i < ARRAY_SIZE(fillers); i++) {
		autobuf struct buf value = BUF_INIT;

		if (conf_get(c, fillers[i], &value, NULL) == 0 && value.len)
			return true;
	}
	if (conf_get(c, "lxc.mount.entry", &entries, NULL) < 0 || !entries.len ||
	    strv_split(&lines, entries.s, "\n") < 0)
		return false;
	for (size_t i = 0; i < lines.n; i++)
		if (entry_brings_programs(lines.v[i]))
			return true;
	return false;
}

/* ---- looking at a program ---- */

/* 1: open, 0: not there but may come later, -1: the error says why it is not there. */
static int find_program(const struct lookup *l, const char *path, const char *what, int *ret_fd,
			struct error *err)
{
	char target[PATH_MAX];
	autoclose int link = -1;
	ssize_t n = -1;
	int code;

	*ret_fd = path_open_in(l->root, path, O_PATH, 0);
	if (*ret_fd >= 0)
		return 1;
	code = errno;
	if (may_be_filled_later(l->b->conf))
		return 0;
	link = path_open_in(l->root, path, O_PATH | O_NOFOLLOW, 0);
	if (link >= 0)
		n = readlinkat(link, "", target, sizeof(target) - 1);
	if (n >= 0) {
		target[n] = '\0';
		error_set(err, code,
			  "cannot find %s \"%s\" in the root filesystem \"%s\": it is a "
			  "link to \"%s\", %s",
			  what, path, l->source, target,
			  code == ELOOP ? "in a circle" : "which is not there");
	} else {
		errno = code;
		if (code == ENOENT)
			error_set(err, code, "cannot find %s \"%s\" in the root filesystem \"%s\"",
				  what, path, l->source);
		else
			error_sys(err, "cannot find %s \"%s\" in the root filesystem \"%s\"", what,
				  path, l->source);
	}
	return -1;
}

/* The first bytes of a program that O_PATH descriptor 'fd' shows; errors are execve's to tell. */
static size_t read_head(int fd, unsigned char head[HEAD_SIZE], int *ret_open)
{
	char path[40];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*ret_open = open(path, O_RDONLY | O_CLOEXEC);
	n = *ret_open < 0 ? 0 : pread(*ret_open, head, HEAD_SIZE, 0);
	return n < 0 ? 0 : (size_t)n;
}

static int check_machine(const struct lookup *l, const char *path, const unsigned char *head,
			 size_t n, struct error *err)
{
	bool little = head[EI_DATA] == ELFDATA2LSB;
	unsigned machine = little ? head[18] | head[19] << 8 : head[19] | head[18] << 8;
	const char *name = rootfs_machine_name(machine);
	struct utsname host;
	char number[32];

	uname(&host);
	if (host_runs(&host, machine, little) || has_binfmt_handler(l, head, n))
		return 0;
	snprintf(number, sizeof(number), "machine type %u", machine);
	error_set(err, ENOEXEC,
		  "cannot run the init \"%s\" of the root filesystem \"%s\": \"%s\" "
		  "is a program for %s, this host runs %s",
		  l->init, l->source, path, name ? name : number, host.machine);
	return error_mend(err,
			  "install qemu-user-static and its binfmt_misc handlers (package "
			  "qemu-user-static), or use a root filesystem for %s",
			  host.machine);
}

/* The path in PT_INTERP of a program of our own class and byte order; NULL: static, or not ours. */
static char *read_loader(int fd)
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph;

	if (pread(fd, &eh, sizeof(eh), 0) != sizeof(eh) || eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_phentsize != sizeof(ph) || eh.e_phnum > 64)
		return NULL;
	if ((eh.e_ident[EI_DATA] == ELFDATA2LSB) != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__))
		return NULL;
	for (unsigned i = 0; i < eh.e_phnum; i++) {
		char *path;

		if (pread(fd, &ph, sizeof(ph), (off_t)(eh.e_phoff + i * sizeof(ph))) != sizeof(ph))
			return NULL;
		if (ph.p_type != PT_INTERP || !ph.p_filesz || ph.p_filesz > PATH_MAX)
			continue;
		path = calloc(1, ph.p_filesz + 1);
		if (path && pread(fd, path, ph.p_filesz, (off_t)ph.p_offset) > 0)
			return path;
		free(path);
		return NULL;
	}
	return NULL;
}

static int check_elf(const struct lookup *l, const char *path, int fd, const unsigned char *head,
		     size_t n, struct error *err)
{
	autofree char *loader = NULL;
	autoclose int found = -1;

	if (n < 20)
		return 0;
	if (check_machine(l, path, head, n, err) < 0)
		return -1;
	loader = read_loader(fd);
	if (!loader || find_program(l, loader, "the program loader", &found, err) >= 0)
		return 0;
	error_within(err, "cannot run the init \"%s\"", l->init);
	return error_mend(err,
			  "install the C library that \"%s\" needs in the root filesystem, or "
			  "use a statically linked one",
			  path);
}

static int check_program(const struct lookup *l, const char *path, int scripts, struct error *err);

/* '#! /bin/sh -e': what stands between the blanks. */
static int check_script(const struct lookup *l, unsigned char *head, size_t n, int scripts,
			struct error *err)
{
	char *line = (char *)head + 2;

	head[n < HEAD_SIZE ? n : HEAD_SIZE - 1] = '\0';
	line += strspn(line, " \t");
	line[strcspn(line, " \t\n")] = '\0';
	if (!*line)
		return 0;
	return check_program(l, line, scripts + 1, err);
}

static int check_program(const struct lookup *l, const char *path, int scripts, struct error *err)
{
	autoclose int at = -1, fd = -1;
	unsigned char head[HEAD_SIZE];
	struct stat st;
	size_t n;
	int found = find_program(l, path, scripts ? "the interpreter" : "the init", &at, err);

	if (found < 0 && scripts)
		return error_within(err, "cannot run the init \"%s\"", l->init);
	if (found <= 0)
		return found;
	if (fstat(at, &st) < 0)
		return error_sys(err, "cannot look at \"%s\" in the root filesystem \"%s\"", path,
				 l->source);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EACCES,
				 "cannot run the init \"%s\" of the root filesystem "
				 "\"%s\": \"%s\" is no file but a %s",
				 l->init, l->source, path,
				 S_ISDIR(st.st_mode) ? "directory" : "special file");
	if (!(st.st_mode & 0111)) {
		error_set(err, EACCES,
			  "cannot run the init \"%s\" of the root filesystem \"%s\": "
			  "\"%s\" is not executable",
			  l->init, l->source, path);
		return error_mend(err, "chmod +x %s%s", strcmp(l->source, "/") ? l->source : "",
				  path);
	}
	if (!st.st_size)
		return error_set(err, ENOEXEC,
				 "cannot run the init \"%s\" of the root filesystem "
				 "\"%s\": \"%s\" is empty",
				 l->init, l->source, path);
	n = read_head(at, head, &fd);
	if (n >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
		return check_elf(l, path, fd, head, n, err);
	if (n > 2 && head[0] == '#' && head[1] == '!' && scripts < MAX_SCRIPTS)
		return check_script(l, head, n, scripts, err);
	return 0;
}

/* What will be executed, or NULL when only PATH inside can tell. */
static char *command_name(const struct boot *b)
{
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv words = {0};

	if (b->command)
		return b->command[0] ? strdup(b->command[0]) : NULL;
	if (conf_get(b->conf, b->execute ? "lxc.execute.cmd" : "lxc.init.cmd", &text, NULL) == 0 &&
	    text.len && strv_split_quoted(&words, text.s) == 0 && words.n)
		return strdup(words.v[0]);
	return b->execute ? NULL : strdup("/sbin/init");
}

int rootfs_check_init(const struct boot *b, const char *source, int root, struct error *err)
{
	autofree char *init = command_name(b);
	struct lookup l = {.b = b, .source = source, .init = init, .root = root};

	if (!init || !strchr(init, '/') || root < 0)
		return 0;
	if (check_program(&l, init, 0, err) == 0)
		return 0;
	return error_mend(err,
			  "lxc-start -n %s -- /bin/sh      (another program as init), or set "
			  "lxc.init.cmd",
			  b->name);
}
