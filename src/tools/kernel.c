/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-checkconfig without a name: what this kernel, or the one that CONFIG describes, has. */
#include "feature.h"
#include "json.h"
#include "kernel.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* A kernel's configuration as text ($CONFIG), NULL: ask the running kernel. */
static char *read_config(const struct cli *cli, const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!f || getdelim(&text, &size, '\0', f) < 0 || !strstr(text, "CONFIG_")) {
		cli_error_mend(cli, "zcat FILE >/tmp/config; CONFIG=/tmp/config lxc-checkconfig",
			       f ? "cannot use \"%s\": no kernel configuration in plain text" :
			       "cannot open \"%s\": %m", path);
		free(text);
		text = NULL;
	}
	if (f)
		fclose(f);
	return text;
}

static bool has_option(const char *config, const char *option)
{
	autofree char *line = NULL;
	const char *at;

	if (asprintf(&line, "\nCONFIG_%s=", option) < 0)
		line = NULL;
	at = strstr(config, must_have(line));
	return at && strchr("ym", at[strlen(line)]);
}

static const char *verdict(const struct feature *f, const char *config)
{
	if (config ? has_option(config, f->option) : f->probe(f->argument))
		return "enabled";
	return f->required ? "required" : "missing";
}

static void print_mounts(const char *title, const char *type)
{
	FILE *f = fopen("/proc/self/mounts", "re");
	autofree char *line = NULL;
	size_t size = 0;

	printf("%s:\n", title);
	while (f && getline(&line, &size, f) > 0) {
		char *save, *where;

		strtok_r(line, " ", &save);
		where = strtok_r(NULL, " ", &save);
		if (where && strcmp(strtok_r(NULL, " ", &save), type) == 0)
			printf(" - %s\n", where);
	}
	if (f)
		fclose(f);
}

static void print_feature(const struct feature *f, const char *config)
{
	const char *word = verdict(f, config);
	bool colours = isatty(STDOUT_FILENO);

	if (f->section)
		printf("\n--- %s ---\n", f->section);
	printf("%s: %s%s%s\n", f->label,
	       !colours ? "" : *word == 'e' ? "\033[1;32m" : "\033[1;31m", word,
	       colours ? "\033[0m" : "");
	if (f->section && strcmp(f->section, "Control groups") == 0 && !config) {
		print_mounts("Cgroup v1 mount points", "cgroup");
		print_mounts("Cgroup v2 mount points", "cgroup2");
	}
}

/* ---- the host ---- */

static const char *const verdicts[] = {
	[LXCORE_FINE] = "fine", [LXCORE_ADVICE] = "advice", [LXCORE_WRONG] = "wrong",
};

/* Asked before the kernel is, which is done from namespaces in which the host looks different. */
struct host {
	struct lxcore_diagnosis *v;
	size_t n;
	bool root;
};

static void keep(void *data, const struct lxcore_diagnosis *d)
{
	struct host *h = data;

	h->v = must_have(realloc(h->v, (h->n + 1) * sizeof(*h->v)));
	h->v[h->n++] = (struct lxcore_diagnosis){
		.subject = must_have(strdup(d->subject)), .verdict = d->verdict,
		.found = must_have(strdup(d->found)), .mend = must_have(strdup(d->mend)),
	};
}

static void host_free(struct host *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free((char *)h->v[i].subject);
		free((char *)h->v[i].found);
		free((char *)h->v[i].mend);
	}
	free(h->v);
}

static void print_diagnosis(const struct lxcore_diagnosis *d)
{
	bool colours = isatty(STDOUT_FILENO);
	const char *colour = d->verdict == LXCORE_FINE ? "\033[1;32m" :
		d->verdict == LXCORE_ADVICE ? "\033[1;33m" : "\033[1;31m";

	printf("%s: %s%s%s: ", d->subject, colours ? colour : "", verdicts[d->verdict],
	       colours ? "\033[0m" : "");
	text_print(stdout, d->found);
	putchar('\n');
	for (const char *line = d->mend; *line;) {
		size_t n = strcspn(line, "\n");

		printf("  to mend it: %.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

static void host_json(struct json *j, const struct host *h)
{
	json_rows(j, "host");
	for (size_t i = 0; i < h->n; i++) {
		json_object(j, NULL);
		json_text(j, "subject", h->v[i].subject);
		json_text(j, "verdict", verdicts[h->v[i].verdict]);
		json_text(j, "found", h->v[i].found);
		json_text(j, "mend", h->v[i].mend);
		json_end(j, '}');
	}
	json_end(j, ']');
}

/* ---- both ---- */

static void print_kernel(const char *path, const char *config, const struct host *h)
{
	struct utsname u;

	uname(&u);
	printf("LXC version %s\n", lxcore_version());
	if (path)
		printf("Kernel configuration found at %s\n", path);
	else
		printf("The running kernel was asked: %s %s\n", u.sysname, u.release);
	for (const struct feature *f = features; f->label; f++)
		if (!config || f->option)
			print_feature(f, config);
	if (h->n)
		printf("\n--- Host, for %s ---\n", h->root ? "root" : "an ordinary user");
	for (size_t i = 0; i < h->n; i++)
		print_diagnosis(&h->v[i]);
	printf("\nNote : Before booting a new kernel, you can check its configuration\n"
	       "usage : CONFIG=/path/to/config lxc-checkconfig\n"
	       "        lxc-checkconfig -n NAME tells whether a container would start\n");
}

static void print_kernel_json(const char *path, const char *config, const struct host *h)
{
	struct json j = {.out = stdout};
	const char *section = "";

	json_object(&j, NULL);
	json_text(&j, "version", lxcore_version());
	json_text(&j, "config", path);
	json_rows(&j, "features");
	for (const struct feature *f = features; f->label; f++) {
		section = f->section ? f->section : section;
		if (config && !f->option)
			continue;
		json_object(&j, NULL);
		json_text(&j, "section", section);
		json_text(&j, "label", f->label);
		json_text(&j, "option", f->option);
		json_bool(&j, "required", f->required);
		json_bool(&j, "enabled", *verdict(f, config) == 'e');
		json_end(&j, '}');
	}
	json_end(&j, ']');
	if (!config)
		host_json(&j, h);
	json_end(&j, '}');
}

int kernel_check(struct cli *cli)
{
	const char *path = getenv("CONFIG");
	autofree char *config = NULL;
	struct host host = {.root = geteuid() == 0};

	path = path && *path ? path : NULL;
	if (path && !(config = read_config(cli, path)))
		return 1;
	if (!path) {
		lxcore_doctor(keep, &host);
		features_prepare();
	}
	if (cli->json)
		print_kernel_json(path, config, &host);
	else
		print_kernel(path, config, &host);
	host_free(&host);
	return 0;
}
