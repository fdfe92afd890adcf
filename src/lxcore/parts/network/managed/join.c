/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container's interface on the managed network: whether it is on it, that the network is there
 * when it starts, and what it is given: an address that stays, a gateway, a name.
 *
 * An interface without an address of its own gets one in any case: it is reserved for it, so that
 * its DHCP client is answered at once (dnsmasq need not try first whether somebody has it, which
 * takes seconds), and the name is known from the start.  With ipv4.address = auto it is set before
 * init runs, and no DHCP is needed.
 */
#include "base/fd.h"
#include "parts/network/managed/join.h"
#include "parts/network/managed/managed.h"
#include "parts/network/network.h"
#include "parts/network/nic.h"

#include <stdio.h>
#include <string.h>

static bool wants_address(const struct nic_conf *c)
{
	return c->ipv4.automatic || c->ipv6.automatic;
}

static bool could_be(const struct nic_conf *c)
{
	return c->type == &nic_veth && c->veth.mode == VETH_BRIDGE && c->link[0];
}

/* Its settings, those it is up with before those that are written down. */
static int read_settings(struct managed *m, bool *ret_up, struct error *err)
{
	int current = managed_current(m, err);

	*ret_up = current == 1;
	return current == 0 ? managed_read(m, err) : current < 0 ? -1 : 0;
}

/* ---- check ---- */

static int refuse_auto(const struct nic_site *site, const struct nic_conf *c,
		       const struct managed *m, struct error *err)
{
	const char *sub = c->ipv4.automatic ? "ipv4.address" : "ipv6.address";
	struct nic_where where;

	error_set(err, EINVAL,
		  "an address 'auto' is one of the managed network, which is bridge \"%s\" "
		  "(%s)",
		  m->bridge, nic_where(site->boot->conf, c, sub, &where));
	return error_mend(err, "lxc.net.%u.type = veth\nlxc.net.%u.link = %s", c->index, c->index,
			  m->bridge);
}

static int refuse_switched_off(const struct nic_site *site, const struct nic_conf *c,
			       const struct managed *m, struct error *err)
{
	struct nic_where where;

	error_set(err, ENODEV,
		  "bridge \"%s\" is that of the managed network, which is switched off by "
		  "USE_LXC_BRIDGE=false, %s (%s)",
		  m->bridge, m->enabled_where ? m->enabled_where : "",
		  nic_where(site->boot->conf, c, "link", &where));
	return error_mend(err, "write USE_LXC_BRIDGE=true into " LXCORE_SYSCONFDIR
			       "/default/lxc-net, then lxc-net start");
}

static int refuse_absent(const struct nic_site *site, const struct nic_conf *c, struct error *err)
{
	struct nic_where where;

	error_set(err, ENODEV, "bridge \"%s\" does not exist (%s)", c->link,
		  nic_where(site->boot->conf, c, "link", &where));
	return error_mend(err, "ip link add %s type bridge && ip link set %s up", c->link, c->link);
}

static int check_ipv6(const struct nic_site *site, const struct nic_conf *c,
		      const struct managed *m, struct error *err)
{
	struct nic_where where;

	if (!c->ipv6.automatic || (m->address6.family && m->address6.prefix <= 64))
		return 0;
	return error_set(err, EAFNOSUPPORT,
			 "the managed network has no IPv6 to take an address of%s%s "
			 "(%s)",
			 m->why_no_ipv6 ? ": " : "", m->why_no_ipv6 ? m->why_no_ipv6 : "",
			 nic_where(site->boot->conf, c, "ipv6.address", &where));
}

int join_check(const struct nic_site *site, const struct nic_conf *c, bool link_exists,
	       enum joins *ret, struct error *err)
{
	automanaged struct managed m = MANAGED_INIT;
	bool up, ours;

	*ret = JOINS_NOT;
	if (link_exists && !wants_address(c) && !c->publish.n)
		return 0;
	if (read_settings(&m, &up, err) < 0)
		return -1;
	ours = could_be(c) && strcmp(m.bridge, c->link) == 0;
	if (!ours && wants_address(c))
		return refuse_auto(site, c, &m, err);
	if (!ours)
		return link_exists ? 0 : refuse_absent(site, c, err);
	if (!m.enabled && (!link_exists || wants_address(c)))
		return refuse_switched_off(site, c, &m, err);
	*ret = up && link_exists ? JOINS_NOW : JOINS_ONCE_UP;
	return check_ipv6(site, c, &m, err);
}

/* ---- before the supervisor is born ---- */

int network_bring_up(const struct boot *b, struct strv *notes, struct error *err)
{
	const struct network_conf *net = conf_of(b->conf, &network_section);

	for (size_t i = 0; i < net->n; i++) {
		const struct nic_conf *c = net->v[i];
		automanaged struct managed m = MANAGED_INIT;
		char address[INET6_ADDRSTRLEN];
		bool up;

		/* What is there and of which nothing is asked needs no look at the settings. */
		if (!could_be(c) || (if_nametoindex(c->link) && !wants_address(c) && !c->publish.n))
			continue;
		if (read_settings(&m, &up, err) < 0)
			return -1;
		if (!m.enabled || strcmp(m.bridge, c->link) != 0 || (up && if_nametoindex(c->link)))
			continue;
		if (managed_up(&m, notes, err) < 0)
			return error_within(err, "cannot bring up the managed network");
		if (strv_take(notes,
			      str_printf("the managed network was down and is up now: bridge %s, "
					 "%s/%u (lxc-net)",
					 m.bridge, address_text(&m.address, address),
					 m.address.prefix)) < 0)
			return error_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

/* ---- prepare ---- */

/* There is one default route of each family. */
static bool has_gateway(const struct boot *b, int family)
{
	const struct network_conf *net = conf_of(b->conf, &network_section);

	for (size_t i = 0; i < net->n && i < b->network->n; i++) {
		const struct nic_conf *c = net->v[i];
		const struct nic *nic = &b->network->v[i];

		if (family == AF_INET ? c->ipv4_gateway.how || nic->own_gateway4
				      : c->ipv6_gateway.how || nic->own_gateway6)
			return true;
	}
	return false;
}

static int take_addresses(const struct boot *b, const struct nic_conf *c, const struct managed *m,
			  struct nic *nic, struct error *err)
{
	struct lease_owner owner = {b->lxcpath, b->name, c->index};

	if ((c->ipv4.automatic || !c->ipv4.n) &&
	    lease_take(m, &owner, nic->mac, &nic->lease4, c->ipv4.automatic ? err : NULL) < 0) {
		nic->lease4.family = 0;
		if (c->ipv4.automatic)
			return -1;
	}
	if (c->ipv6.automatic && !lease_ipv6(m, &owner, &nic->lease6))
		return error_set(err, EAFNOSUPPORT,
				 "the managed network has no IPv6 "
				 "(lxc.net.%u.ipv6.address)",
				 c->index);
	if (c->ipv4.automatic && c->up && !has_gateway(b, AF_INET)) {
		nic->own_gateway4 = true;
		nic->gateway4 = m->address;
	}
	if (c->ipv6.automatic && c->up && !has_gateway(b, AF_INET6)) {
		nic->own_gateway6 = true;
		nic->gateway6 = m->address6;
	}
	return 0;
}

static int be_known(struct boot *b, const struct nic_conf *c, const struct managed *m,
		    const struct nic *nic, struct error *err)
{
	const struct address *v4 = c->ipv4.n ? &c->ipv4.v[0] : &nic->lease4;
	const struct address *v6 = c->ipv6.n ? &c->ipv6.v[0] : &nic->lease6;
	struct lease_owner owner = {b->lxcpath, b->name, c->index};
	char file[64];

	if (!name_is_valid(b->name) || (!v4->family && !v6->family))
		return 0;
	name_file(&owner, file);
	if (journal_record(&b->journal, "netname", file, err) < 0)
		return -1;
	return name_add(m, file, b->name, v4, v6, err);
}

int join_prepare(struct boot *b, const struct nic_conf *c, struct nic *nic, struct error *err)
{
	automanaged struct managed m = MANAGED_INIT;
	int current;

	if (!could_be(c))
		return 0;
	current = managed_current(&m, err);
	if (current == 1 && strcmp(m.bridge, c->link) == 0) {
		if (take_addresses(b, c, &m, nic, err) < 0)
			return -1;
		return be_known(b, c, &m, nic, err);
	}
	if (!wants_address(c))
		return 0;
	if (current >= 0)
		error_set(err, ENETDOWN, "the managed network is not up (lxc.net.%u.ipv%d.address)",
			  c->index, c->ipv4.automatic ? 4 : 6);
	return error_mend(err, "lxc-net start");
}

void join_release(const struct release *r)
{
	const char *file = NULL;

	while ((file = journal_previous(r->journal, "netname", file)))
		name_remove(file);
}

void network_forget(const char *lxcpath, const char *name)
{
	lease_forget(lxcpath, name);
}
