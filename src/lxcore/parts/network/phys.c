/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* phys: an interface of the host that moves into the container, and back when that ends (lend.c). */
#include "base/fd.h"
#include "parts/network/lend.h"
#include "parts/network/nic.h"

#include <stdio.h>
#include <string.h>

static int phys_check(const struct nic_site *site, const struct nic_conf *c, struct error *err)
{
	struct nic_where where;
	struct error why = {0};
	struct link link;
	int found;

	if (!c->link[0])
		return error_set(err, EINVAL,
				 "an interface of type phys is one of the host, and none is "
				 "named (lxc.net.%u.link)",
				 c->index);
	nic_where(site->boot->conf, c, "link", &where);
	found = link_find(site->nl, c->link, &link, err);
	if (found < 0)
		return -1;
	if (!found)
		return error_set(err, ENODEV, "interface \"%s\" does not exist (%s)", c->link,
				 where.text);
	if (lend_check(&link, &why) < 0) {
		error_set(err, why.code, "%s (%s)", why.text, where.text);
		return error_mend(err, "%s", why.mend);
	}
	return gateway_check(site, c, false, err);
}

static int phys_prepare(struct boot *b, const struct nic_conf *c, struct nic *nic,
			struct error *err)
{
	struct link l;
	int found = link_find(&b->network->nl, c->link, &l, err);

	if (found < 0)
		return -1;
	if (!found)
		return error_set(err, ENODEV, "interface \"%s\" is gone (lxc.net.%u.link)", c->link,
				 c->index);
	nic->link_index = l.index;
	nic->mtu = c->mtu;
	if (!c->name[0])
		strcpy(nic->name, l.name); /* 'link' may be one of its further names */
	return 0;
}

static int open_namespace(const struct boot *b)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", b->init.pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int phys_connect(struct boot *b, const struct nic_conf *c, struct nic *nic,
			struct error *err)
{
	autoclose int ns = open_namespace(b);
	const struct lender lender = {
		.journal = &b->journal,
		.rundir = b->rundir,
		.dir = b->dir,
		.ns = ns,
		.nl = &b->network->nl,
	};
	const struct lending what = {
		.link = c->link,
		.inside = nic->name,
		.address = c->hwaddr[0] ? nic->mac : NULL,
		.mtu = nic->mtu,
	};

	if (ns < 0)
		return error_sys(err, "cannot open the container's network namespace");
	if (lend(&lender, &what, err) < 0)
		return error_within(err, "lxc.net.%u", nic->index);
	return 0;
}

const struct nic_type nic_phys = {
	.word = "phys",
	.check = phys_check,
	.prepare = phys_prepare,
	.connect = phys_connect,
	.release = lend_release,
};
