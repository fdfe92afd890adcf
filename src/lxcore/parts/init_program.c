/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program that becomes init: finding it, our own small one, and why one cannot be executed. */
#include "parts/init_program.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/proc.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define OWN_INIT LXCORE_SBINDIR "/init.lxc"
#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int program_copy_own_init(struct error *err)
{
	int copy = proc_copy_program(OWN_INIT, err);

	return copy < 0 ? error_within(err, "our small init") : copy;
}

/* ---- finding ---- */

static const char *search_path(const struct strv *env)
{
	const char *found = USUAL_PATH;

	for (size_t i = 0; i < env->n; i++)
		if (str_starts(env->v[i], "PATH="))
			found = env->v[i] + strlen("PATH=");
	return found;
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *program_find(const char *command, const struct strv *env, struct error *err)
{
	const char *where = search_path(env);
	autostrv struct strv dirs = {0};

	if (strchr(command, '/')) {
		if (is_program(command))
			return strdup(command);
		if (access(command, X_OK) == 0)
			errno = EACCES; /* a directory, a device */
		program_explain(command, errno, err);
		return NULL;
	}
	strv_split(&dirs, where, ":");
	for (size_t i = 0; i < dirs.n; i++) {
		autofree char *path = str_printf("%s/%s", dirs.v[i], command);

		if (path && is_program(path))
			return steal_ptr(&path);
	}
	error_set(err, ENOENT, "cannot run \"%s\": the container has no such command in %s", command,
		  where);
	return NULL;
}

/* ---- why not ---- */

/* Both sizes of ELF have the same layout up to e_machine; the program headers differ. */
static bool elf_interpreter(const char *head, size_t n, char *ret, size_t room)
{
	const Elf64_Ehdr *h64 = (const void *)head;
	const Elf32_Ehdr *h32 = (const void *)head;
	bool wide = head[EI_CLASS] == ELFCLASS64;
	size_t at = wide ? h64->e_phoff : h32->e_phoff;
	size_t step = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	unsigned count = wide ? h64->e_phnum : h32->e_phnum;

	for (unsigned i = 0; i < count && at < n && n - at >= step; i++, at += step) {
		Elf64_Phdr p64;
		Elf32_Phdr p32;
		size_t offset, length;

		memcpy(&p64, head + at, wide ? sizeof(p64) : 0);
		memcpy(&p32, head + at, wide ? 0 : sizeof(p32));
		if ((wide ? p64.p_type : p32.p_type) != PT_INTERP)
			continue;
		offset = wide ? p64.p_offset : p32.p_offset;
		length = wide ? p64.p_filesz : p32.p_filesz;
		if (offset >= n || length > n - offset || !length || length > room)
			return false;
		snprintf(ret, room, "%.*s", (int)length, head + offset);
		return true;
	}
	return false;
}

static bool script_interpreter(const char *head, char *ret, size_t room)
{
	const char *start = head + 2 + strspn(head + 2, " \t");

	snprintf(ret, room, "%.*s", (int)strcspn(start, " \t\r\n"), start);
	return *ret;
}

/* The program that the kernel wants to load first: the dynamic linker, or what '#!' names. */
static bool interpreter_of(const char *path, char *ret, size_t room)
{
	_Alignas(Elf64_Ehdr) char head[4096] = {0};
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head) - 1);

	if (n > 2 && head[0] == '#' && head[1] == '!')
		return script_interpreter(head, ret, room);
	if (n < (ssize_t)sizeof(Elf64_Ehdr) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return false;
	return elf_interpreter(head, (size_t)n, ret, room);
}

int program_check(const char *path, struct error *err)
{
	char interpreter[256];
	struct statvfs fs;

	if (interpreter_of(path, interpreter, sizeof(interpreter)) && access(interpreter, F_OK) < 0 &&
	    errno == ENOENT)
		return error_set(err, ENOENT, "cannot run \"%s\": it needs \"%s\", which the "
				 "container does not have", path, interpreter);
	if (statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOEXEC))
		return error_set(err, EACCES, "cannot run \"%s\": its filesystem is mounted noexec",
				 path);
	return 0;
}

int program_explain(const char *path, int code, struct error *err)
{
	if (code == EACCES)
		return error_set(err, code, "cannot run \"%s\": it is not an executable file, or is "
				 "not executable for the user that it runs as", path);
	if (code == ENOEXEC)
		return error_set(err, code, "cannot run \"%s\": this machine cannot execute it; it may "
				 "be for another architecture", path);
	errno = code;
	return error_sys(err, "cannot run \"%s\"", path);
}
