/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-device: give a device or a network interface of the host to a running container. */
#include "cli.h"
#include "tools.h"

#include <net/if.h>
#include <string.h>
#include <unistd.h>

/* What has a '/' is the path of a device, anything else an interface. */
static int act(struct cli *cli, lxcore_container *c, bool add)
{
	const char *what = cli->words.v[1], *other = cli->words.n > 2 ? cli->words.v[2] : NULL;

	if (!strchr(what, '/') && add)
		return lxcore_interface_add(c, what, other, cli->err);
	if (!strchr(what, '/'))
		return lxcore_interface_remove(c, what, other, cli->err);
	return add ? lxcore_device_add(c, what, other, cli->err)
		   : lxcore_device_remove(c, what, other, cli->err);
}

static int run(struct cli *cli, const void *options)
{
	autocontainer lxcore_container *c = NULL;
	const char *verb = cli->words.n ? cli->words.v[0] : "";
	bool add = strcmp(verb, "add") == 0;

	(void)options;
	if (cli->words.n < 2 || (!add && strcmp(verb, "del") != 0))
		return cli_error_mend(cli, "lxc-device -n NAME add /dev/ttyUSB0      (for example)",
				      cli->words.n ? "'%s' is neither 'add DEVICE' nor 'del DEVICE'"
						   : "neither 'add DEVICE' nor 'del DEVICE'%s", verb);
	if (geteuid() != 0)
		return cli_error(cli, "lxc-device must be run as root");
	if (add && !strchr(cli->words.v[1], '/') && !if_nametoindex(cli->words.v[1]))
		return cli_error_mend(cli, "give a device by its path: /dev/...",
				      "this host has no network interface \"%s\"", cli->words.v[1]);
	c = cli_open(cli);
	if (!c)
		return 1;
	return act(cli, c, add) < 0 ? cli_fail(cli) : 0;
}

static const struct manual manual = {
	.description =
	"Gives a device or a network interface of this host to the running container NAME, or "
	"takes it away again.\n\n"
	"A DEVICE with a `/` is the path of a device. `add` makes the same device in the "
	"container, at OTHER if that is given (a whole path), and allows it in the rules of "
	"the container's cgroup; `del` removes and forbids it. The node belongs to the "
	"container's root.\n\n"
	"Any other DEVICE is a network interface. `add` moves it into the container, where it "
	"is called OTHER if that is given; `del` moves the container's interface DEVICE back, as "
	"OTHER, or under the name that it had on the host. An interface comes back with its name, "
	"hardware address and MTU at the latest when the container ends or reboots, whatever "
	"ends it.",
	.examples = (const struct meaning[]){
		{"lxc-device -n web add /dev/ttyUSB0", "Give it a serial port."},
		{"lxc-device -n web add /dev/ttyUSB0 /dev/ttyS0", "The same under another name."},
		{"lxc-device -n web del /dev/ttyUSB0", "Take it away."},
		{"lxc-device -n web add eth1 lan", "Move eth1 into it, as 'lan'."},
		{"lxc-device -n web del lan", "Move it back, as eth1."},
		{0}},
	.differences =
	"The verbs are `add` and `del` alone; LXC takes any beginning of them.\n\n"
	"`add` takes the numbers of DEVICE also when OTHER is given; LXC looks at OTHER on the "
	"host. `del` of a lent interface gives it back under the name that it had on the host; "
	"with LXC it keeps the one that it has in the container.",
	.see_also = "lxc-cgroup lxc.container.conf",
};

const struct tool tool_device = {
	.name = "lxc-device",
	.purpose = "give devices and network interfaces to a running container",
	.synopsis = "[-n] NAME add DEVICE [OTHER]\n[-n] NAME del DEVICE [OTHER]",
	.traits = TOOL_RCFILE,
	.max_words = 3,
	.choose = "--running",
	.run = run,
	.manual = &manual,
};
