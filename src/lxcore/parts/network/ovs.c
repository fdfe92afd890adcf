/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Switches of Open vSwitch: a veth's other end becomes a port of one by the switch's own tool,
 * ovs-vsctl(8), for its ports stand in its database, not in the kernel.  A port stays there when
 * its device is gone, so it is taken out again.
 *
 * Journal: "netovs BRIDGE PORT".
 */
#include "parts/network/nic.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define TOOL "ovs-vsctl"
#define PATIENCE "--timeout=5" /* of the tool with its database, in seconds */
#define PATIENCE_MS 8000

/* Its status as exit code; -1 with the error when it cannot be run, or was killed. */
static int run_tool(const char *const *argv, struct buf *output, struct error *err)
{
	struct proc_run how = {.argv = argv, .timeout_ms = PATIENCE_MS};
	char text[64];
	int status = proc_run(&how, output, err);

	if (status < 0 || WIFEXITED(status))
		return status < 0 ? -1 : WEXITSTATUS(status);
	return error_set(err, ECHILD, TOOL ": %s", proc_status_text(status, text));
}

int ovs_find(const struct link *link, const char *where, struct error *err)
{
	const char *const argv[] = {TOOL, PATIENCE, "br-exists", link->name, NULL};
	bool of_kernel = strcmp(link->kind, "openvswitch") == 0;
	autobuf struct buf output = BUF_INIT;
	struct error why = {0};
	int code = run_tool(argv, &output, &why);

	if (code == 0 || code == 2) /* 2: there is no such switch */
		return code == 0;
	/* Without its tool nothing but a datapath of the kernel's can be known to be a switch. */
	if (code < 0 && why.code == ENOENT && !of_kernel)
		return 0;
	if (code < 0 && why.code == ENOENT) {
		error_set(err, ENOENT,
			  "\"%s\" is a switch of Open vSwitch, whose tool " TOOL
			  " is missing (%s)",
			  link->name, where);
		return error_mend(err, "install Open vSwitch, so that " TOOL " is in PATH");
	}
	error_set(err, code < 0 ? why.code : EIO,
		  "cannot ask Open vSwitch about \"%s\": %s%.300s (%s)", link->name,
		  code < 0 ? why.text : TOOL " failed: ", output.len ? output.s : "", where);
	return error_mend(err, TOOL " show      (is its database server running?)");
}

int ovs_check(const struct boot *b, const struct nic_conf *c, struct error *err)
{
	struct nic_where where;

	if (!c->veth.vlan.given || c->veth.vlan.id > 0 || c->veth.tagged.n)
		return 0;
	return error_set(err, EINVAL,
			 "a port of Open vSwitch is in some VLAN always; 'none' needs tagged ones "
			 "beside it (%s)",
			 nic_where(b->conf, c, "veth.vlan.id", &where));
}

/* Which packets the port takes: columns of ovs-vswitchd.conf.db(5), table Port. */
static int describe_vlans(const struct nic_conf *c, struct strv *argv)
{
	bool own = c->veth.vlan.given && c->veth.vlan.id > 0;
	autobuf struct buf trunks = BUF_INIT;
	int result = 0;

	for (size_t i = 0; i < c->veth.tagged.n; i++)
		buf_addf(&trunks, "%s%u", i ? "," : "trunks=", c->veth.tagged.v[i]);
	if (own)
		result |= strv_take(argv, str_printf("tag=%d", c->veth.vlan.id));
	if (trunks.len)
		result |= strv_add(argv, trunks.s);
	if (own || trunks.len)
		result |= strv_add(argv, !own	      ? "vlan_mode=trunk"
					 : trunks.len ? "vlan_mode=native-untagged"
						      : "vlan_mode=access");
	return result | (trunks.failed ? -1 : 0);
}

int ovs_connect(struct boot *b, const struct nic_conf *c, const struct nic *nic, struct error *err)
{
	const char *const words[] = {TOOL,       PATIENCE, "--",     "--may-exist",
				     "add-port", c->link,  nic->host};
	autostrv struct strv argv = {0};
	autobuf struct buf output = BUF_INIT;
	char line[2 * IFNAMSIZ];
	int result = 0, code;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		result |= strv_add(&argv, words[i]);
	if (result < 0 || describe_vlans(c, &argv) < 0)
		return error_set(err, ENOMEM, "cannot join \"%s\": out of memory", c->link);
	snprintf(line, sizeof(line), "%s %s", c->link, nic->host);
	if (journal_record(&b->journal, "netovs", line, err) < 0)
		return -1;
	code = run_tool((const char *const *)argv.v, &output, err);
	if (code > 0)
		error_set(err, EIO, TOOL " failed with exit status %d: %.300s", code,
			  output.len ? output.s : "");
	if (code == 0)
		return 0;
	return error_within(err, "cannot make \"%s\" a port of switch \"%s\" (lxc.net.%u.link)",
			    nic->host, c->link, c->index);
}

void ovs_release(const struct release *r)
{
	const char *line = NULL;

	while ((line = journal_previous(r->journal, "netovs", line))) {
		char bridge[IFNAMSIZ], port[IFNAMSIZ];
		const char *const argv[] = {TOOL,       PATIENCE, "--", "--if-exists",
					    "del-port", bridge,   port, NULL};

		if (sscanf(line, "%15s %15s", bridge, port) == 2)
			run_tool(argv, NULL, NULL);
	}
}
