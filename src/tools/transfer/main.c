/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-transfer pack|unpack: started by the library alone, with the socket to it as descriptor 3. */
#include "transfer.h"

#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define BIT(capability) (1ull << (capability))

static const struct way {
	const char *name;
	uint64_t capabilities;
	int (*serve)(int socket, struct error *err);
} ways[] = {
	/* trusted.* attributes are shown to CAP_SYS_ADMIN alone. */
	{"pack", BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_SYS_ADMIN), pack_serve},
	{"unpack", BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) |
	 BIT(CAP_SETFCAP) | BIT(CAP_MKNOD) | BIT(CAP_SYS_ADMIN), receive_serve},
};

static int serve(const struct way *way)
{
	struct wire message = {.what = WIRE_FAILED};
	struct error err = {0};

	/* Who asked is told of a full pipe by an error, and does not want an archive without it. */
	signal(SIGPIPE, SIG_IGN);
	umask(0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && confine_blind(way->capabilities, &err) == 0 &&
	    way->serve(WIRE_FD, &err) == 0)
		return 0;
	if (!err.code)
		error_sys(&err, "cannot work");
	message.error = err;
	wire_send(WIRE_FD, &message, NULL, 0);
	return 1;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(ways); i++)
		if (strcmp(argv[1], ways[i].name) == 0)
			return serve(&ways[i]);
	fputs("lxc-transfer is started by lxc-export(1) and lxc-import(1) alone\n", stderr);
	return 2;
}
