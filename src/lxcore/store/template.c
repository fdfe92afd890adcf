/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Templates: found, run, listed.  What a template needs stands in two lines of its own text, which
 * its shell library uses too:
 *
 *     about='Debian with systemd'
 *     needs='debootstrap|mmdebstrap openssl'
 *
 * so a list costs no process.  A template of somebody else's, without these lines, is listed bare.
 */
#include "store/template.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/proc.h"
#include "parts/idmap.h"
#include "parts/rootfs.h"
#include "store/template_secrets.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define WORDS_SHOWN 5   /* lines of a failed template in the error */
#define HEAD_SIZE 16384 /* of a template, in which the two lines are looked for */

/* ---- finding ---- */

static int list_names(struct strv *names)
{
	autodir DIR *dir = opendir(LXCORE_TEMPLATEDIR);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (str_starts(entry->d_name, "lxc-"))
			strv_add(names, entry->d_name + 4);
	strv_sort(names);
	return dir || errno == ENOENT ? 0 : -1;
}

int template_find(const char *name, char **ret, struct error *err)
{
	autobuf struct buf known = BUF_INIT;
	autostrv struct strv names = {0};

	*ret = *name == '/' ? strdup(name) : str_printf("%s/lxc-%s", LXCORE_TEMPLATEDIR, name);
	if (!*ret)
		return error_set(err, ENOMEM, "out of memory");
	if (access(*ret, X_OK) == 0 && (*name == '/' || !strchr(name, '/')))
		return 0;
	error_set(err, ENOENT, "cannot find the template \"%s\" (\"%s\")", name, *ret);
	list_names(&names);
	for (size_t i = 0; i < names.n; i++)
		buf_addf(&known, "%s%s", i ? " " : "", names.v[i]);
	if (known.len)
		return error_mend(err, "use one of: %s", known.s);
	return -1;
}

/* ---- what it says of itself ---- */

/* The text between the quotes of a line "NAME='TEXT'"; NULL when there is none. */
static char *quoted_line(const char *text, const char *name)
{
	autofree char *start = str_printf("\n%s='", name);
	const char *at = start ? strstr(text, start) : NULL, *end;

	if (!at)
		return NULL;
	at += strlen(start);
	end = at + strcspn(at, "'\n");
	return *end == '\'' ? strndup(at, (size_t)(end - at)) : NULL;
}

static int read_head(const char *path, struct buf *text)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (fd_read_all(fd, text, HEAD_SIZE) < 0 && errno != EFBIG))
		return -1;
	return text->s ? 0 : -1;
}

char *template_line(const char *path, const char *name)
{
	autobuf struct buf text = BUF_INIT;

	return read_head(path, &text) == 0 ? quoted_line(text.s, name) : NULL;
}

/* ---- running ---- */

#define SECRETS_FD 8 /* one digit, which is all that a shell can say */

/* What it said last, in one line; what mends it, if it said so, apart. */
static void last_words(struct buf *said, struct buf *words, struct error *err)
{
	static const char mend[] = "to mend it: ";
	autostrv struct strv lines = {0};
	size_t first;

	for (char *at = said->s; at && *at; at++)
		if (iscntrl((unsigned char)*at) && *at != '\n')
			*at = ' ';
	strv_split(&lines, said->s ? said->s : "", "\n");
	first = lines.n > WORDS_SHOWN ? lines.n - WORDS_SHOWN : 0;
	for (size_t i = first; i < lines.n; i++) {
		const char *line = lines.v[i] + strspn(lines.v[i], " ");
		const char *gap = !words->len ? "" : words->s[words->len - 1] == ':' ? " " : "; ";

		if (str_starts(line, mend))
			error_mend(err, "%s", line + strlen(mend));
		else if (*line)
			buf_addf(words, "%s%s", gap, line);
	}
}

static int failed(const char *template, int status, struct buf *said, struct error *err)
{
	autobuf struct buf words = BUF_INIT;
	struct error mend = {0};
	char text[64];

	last_words(said, &words, &mend);
	error_set(err, ECHILD, "cannot create it: the template \"%s\" ended with %s%s%s", template,
		  proc_status_text(status, text), words.len ? ": " : "", words.len ? words.s : "");
	return *mend.mend ? error_mend(err, "%s", mend.mend) : -1;
}

static int run_it(void *data, struct error *err)
{
	const struct proc_run *run = data;
	autobuf struct buf said = BUF_INIT;
	int status = proc_run(run, &said, err);

	if (status < 0)
		return -1;
	return status ? failed(run->argv[0], status, &said, err) : 0;
}

/* In a user namespace, as the container's root, so that what it makes belongs to the mapped ids. */
static int run_mapped(const struct conf *conf, struct proc_run *run, struct strv *argv,
		      struct error *err)
{
	autoidmaps struct idmaps maps = {0};
	const struct idmap_call call = {.maps = &maps, .act = run_it, .data = run};
	uid_t uid;
	gid_t gid;

	if (idmaps_with_caller(idmap_of(conf), &maps, &uid, &gid) < 0 ||
	    strv_take(argv, str_printf("--mapped-uid=%u", uid)) < 0 ||
	    strv_take(argv, str_printf("--mapped-gid=%u", gid)) < 0)
		return error_set(err, ENOMEM, "out of memory");
	run->argv = (const char *const *)argv->v;
	return idmap_do(&call, err);
}

int template_run(struct lxcore_container *c, const char *template, const char *rootfs, int tree,
		 const struct lxcore_create *how, int partial, struct error *err)
{
	bool mapped = idmap_of(c->conf)->n && !rootfs_is_idmapped(c->conf);
	autostrv struct strv argv = {0}, secrets = {0};
	autoclose int pipe = -1;
	struct proc_run run = {
		.own_output = !how->quiet, .own_input = !how->quiet, .private_mounts = true,
		.dies_with_us = true, .keep_fd = partial, .umask = 022, .keep_end = true,
		.mount = tree > 0 ? tree : 0, .mount_at = rootfs,
	};

	strv_add(&argv, template);
	strv_take(&argv, str_printf("--path=%s", c->dir));
	strv_take(&argv, str_printf("--name=%s", c->name));
	strv_take(&argv, str_printf("--rootfs=%s", rootfs));
	if (template_secrets(template, &secrets) < 0)
		return error_set(err, ENOMEM, "out of memory");
	if (template_hand_secrets(&secrets, how->args, &argv, &pipe, err) < 0)
		return -1;
	if (pipe >= 0) {
		run.give_fd = pipe;
		run.give_as = partial == SECRETS_FD ? SECRETS_FD - 1 : SECRETS_FD;
		strv_take(&argv, str_printf("--secrets-fd=%d", run.give_as));
	}
	run.argv = (const char *const *)argv.v;
	return mapped ? run_mapped(c->conf, &run, &argv, err) : run_it(&run, err);
}

/* ---- listing ---- */

/* One of "A|B|C". */
static bool have_any(const char *need)
{
	autostrv struct strv names = {0};

	strv_split(&names, need, "|");
	for (size_t i = 0; i < names.n; i++) {
		autofree char *program = proc_find_program(names.v[i]);

		if (program)
			return true;
	}
	return false;
}

static char **take_list(struct strv *list)
{
	char **v = list->v ? list->v : calloc(1, sizeof(char *));

	*list = (struct strv){0};
	return v;
}

static void fill_needs(struct lxcore_template *t, const char *needs)
{
	autostrv struct strv all = {0}, missing = {0};

	strv_split(&all, needs, " ");
	for (size_t i = 0; i < all.n; i++)
		if (!have_any(all.v[i]))
			strv_add(&missing, all.v[i]);
	t->needs = take_list(&all);
	t->missing = take_list(&missing);
}

static int fill_template(struct lxcore_template *t, const char *name)
{
	autobuf struct buf text = BUF_INIT;
	autofree char *needs = NULL;

	t->name = strdup(name);
	t->path = str_printf("%s/lxc-%s", LXCORE_TEMPLATEDIR, name);
	if (t->path && read_head(t->path, &text) == 0) {
		t->about = quoted_line(text.s, "about");
		needs = quoted_line(text.s, "needs");
		if (needs)
			fill_needs(t, needs);
	}
	return t->name && t->path ? 0 : -1;
}

void lxcore_templates_free(struct lxcore_template *list, int n)
{
	for (int i = 0; i < n; i++) {
		free(list[i].name);
		free(list[i].path);
		free(list[i].about);
		lxcore_names_free(list[i].needs);
		lxcore_names_free(list[i].missing);
	}
	free(list);
}

int lxcore_templates(struct lxcore_template **ret, lxcore_error *err)
{
	autostrv struct strv names = {0};
	struct lxcore_template *list;
	int n = 0;

	if (list_names(&names) < 0)
		return error_sys(err, "cannot read \"%s\"", LXCORE_TEMPLATEDIR);
	list = calloc(names.n + 1, sizeof(*list));
	for (size_t i = 0; list && i < names.n; i++)
		if (fill_template(&list[n++], names.v[i]) < 0) {
			lxcore_templates_free(list, n);
			list = NULL;
		}
	if (!list)
		return error_set(err, ENOMEM, "out of memory");
	*ret = list;
	return n;
}

const char *lxcore_template_secret(const char *template, const char *word)
{
	autofree char *path = NULL;
	autostrv struct strv secrets = {0};

	if (template_find(template, &path, NULL) < 0 || template_secrets(path, &secrets) < 0)
		return NULL;
	return template_secret_in(&secrets, word);
}
