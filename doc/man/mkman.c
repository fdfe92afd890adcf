/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mkman NAME: write a page of the manual ("lxc-start.1"), or the tables of "lxc.bash", to standard
 * output.  It runs while the project is built, and is linked with the tables of the tools and of
 * the configuration, so that what is documented is what is there.
 */
#include "pages.h"

#include <string.h>

#define TOOL_ADDRESS(name) &tool_##name,
const struct tool *const all_tools[] = {TOOLS(TOOL_ADDRESS) NULL};

static const struct {
	const char *name;
	void (*write)(FILE *out);
} others[] = {
	{"lxc.container.conf.5", page_container_conf},
	{"lxc.system.conf.5", page_system_conf},
	{"lxc.conf.5", page_conf},
	{"lxc-usernet.5", page_usernet},
	{"lxc.net.conf.5", page_net_conf},
	{"lxc.mirrors.conf.5", page_mirrors_conf},
	{"lxc.seccomp.5", page_seccomp},
	{"lxc-services.7", page_services},
	{"init.lxc.8", page_init},
	{"lxc-user-nic.8", page_user_nic},
	{"lxc.7", page_overview},
	{"lxc.bash", page_completion},
};

static int write_page(const char *name)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(others[i].name, name) == 0) {
			others[i].write(stdout);
			return 0;
		}
	for (const struct tool *const *t = all_tools; *t; t++) {
		size_t n = strlen((*t)->name);

		if (strncmp((*t)->name, name, n) == 0 && strcmp(name + n, ".1") == 0) {
			page_of_tool(*t, stdout);
			return 0;
		}
	}
	fprintf(stderr, "mkman: there is no page \"%s\"\n", name);
	return 1;
}

int main(int argc, char **argv)
{
	const char *name = argc == 2 ? strrchr(argv[1], '/') : NULL;

	if (argc != 2) {
		fputs("usage: mkman NAME.SECTION\n", stderr);
		return 1;
	}
	return write_page(name ? name + 1 : argv[1]) || fflush(stdout) != 0;
}
