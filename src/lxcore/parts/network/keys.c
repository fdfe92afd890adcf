/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys lxc.net.N.*: a family whose members are keys of their own inside the settings of one
 * interface.  The order in which an interface's keys are set does not matter; setting its type a
 * second time starts the interface afresh, so that a configuration can replace what it included.
 */
#include "parts/network/values.h"

#include <stdio.h>
#include <string.h>

#define INDEX_MAX 99999

const struct nic_type *const nic_types[] = {
	&nic_veth, &nic_macvlan, &nic_ipvlan, &nic_vlan, &nic_phys, &nic_empty, &nic_none, NULL,
};

const struct nic_type *nic_type_find(const char *word)
{
	for (size_t i = 0; nic_types[i]; i++)
		if (strcmp(nic_types[i]->word, word) == 0)
			return nic_types[i];
	return NULL;
}

/* ---- the type ---- */

/* The type itself is set by set_member(), which knows the interface around it. */
static void get_type(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	const struct nic_type *type = *(const struct nic_type *const *)field;

	if (type)
		buf_puts(out, type->word);
}

static const struct conf_type type_of_type = {"veth|empty|none|macvlan|ipvlan|vlan|phys", NULL,
					      get_type, NULL, conf_replaces};

/* ---- the members of the family ---- */

static const int inet = AF_INET, inet6 = AF_INET6;
static const struct conf_range mtu_range = {68, 65535}, queue_range = {1, 4096};
static const struct conf_range vlan_range = {1, 4094};
static const struct conf_word veth_modes[] = {
	{"bridge", VETH_BRIDGE},
	{"router", VETH_ROUTER},
	{NULL, 0},
};

static const struct conf_word macvlan_modes[] = {
	{"private", MACVLAN_IS_PRIVATE},
	{"vepa", MACVLAN_IS_VEPA},
	{"bridge", MACVLAN_IS_BRIDGE},
	{"passthru", MACVLAN_IS_PASSTHRU},
	{NULL, 0},
};
static const struct conf_word ipvlan_modes[] = {
	{"l3", IPVLAN_IS_L3},
	{"l3s", IPVLAN_IS_L3S},
	{"l2", IPVLAN_IS_L2},
	{NULL, 0},
};
static const struct conf_word ipvlan_isolations[] = {
	{"bridge", IPVLAN_MAY_MEET},
	{"private", IPVLAN_IS_PRIVATE},
	{"vepa", IPVLAN_IS_VEPA},
	{NULL, 0},
};

#define AT(member) offsetof(struct nic_conf, member)

static const struct conf_key members[] = {
	{"type", &type_of_type, AT(type),
	 .summary = "What kind of interface this is. Set again, it forgets all other settings of "
		    "the interface."},
	{"flags", &value_up, AT(up), .summary = "'up': the interface is up when init starts."},
	{"link", &value_interface, AT(link),
	 .summary = "The interface of the host that this one stands on; for veth the bridge, or the "
		    "switch of Open vSwitch, that its other end joins. Of type phys a name such as "
		    "eth+ stands for every interface whose name begins so."},
	{"name", &value_interface, AT(name),
	 .summary = "Its name inside. Unset: eth0, eth1 ... as they are free."},
	{"hwaddr", &value_hwaddr, AT(hwaddr),
	 .summary = "Its hardware address. Each x stands for a digit that is chosen. Unset: one "
		    "that belongs to this host and container and does not change."},
	{"mtu", &value_number, AT(mtu), .syntax = "68..65535", .extra = &mtu_range,
	 .summary = "Largest packet. Unset: as that of the link, or 1500."},
	{"ipv4.address", &value_addresses, AT(ipv4), .syntax = "ADDRESS[/PREFIX] [BROADCAST]|auto",
	 .extra = &inet,
	 .summary = "An address to give it; may be repeated. Without a prefix that of its class "
		    "counts. 'auto': a free one of the managed network (lxc-net(1)), always the "
		    "same, with its gateway unless another is set."},
	{"ipv4.gateway", &value_gateway, AT(ipv4_gateway), .extra = &inet,
	 .summary = "Where the default route leads: an address, 'auto' for that of the link, "
		    "'dev' for the interface itself."},
	{"ipv6.address", &value_addresses, AT(ipv6), .extra = &inet6,
	 .summary = "An IPv6 address to give it; may be repeated. Without a prefix 64 counts. "
		    "'auto': one of the managed network (lxc-net(1))."},
	{"ipv6.gateway", &value_gateway, AT(ipv6_gateway), .extra = &inet6,
	 .summary = "The same as ipv4.gateway for IPv6."},
	{"script.up", &conf_string, AT(script_up), .syntax = "COMMAND",
	 .summary = "Run on the host when the interface was made; the start fails when it does."},
	{"script.down", &conf_string, AT(script_down), .syntax = "COMMAND",
	 .summary = "Run on the host when the container has ended."},
	{"veth.mode", &conf_choice, AT(veth.mode), .syntax = "bridge|router", .extra = veth_modes,
	 .summary = "Whether the host's end joins the link, or the host routes to the container."},
	{"veth.pair", &value_interface, AT(veth.pair),
	 .summary = "Name of the host's end. Unset: one by chance, which lxc-info -c shows while "
		    "the container runs."},
	{"veth.n_rxqueues", &value_number, AT(veth.n_rxqueues), .syntax = "1..4096",
	 .extra = &queue_range, .summary = "Queues for receiving. Unset: 1."},
	{"veth.n_txqueues", &value_number, AT(veth.n_txqueues), .syntax = "1..4096",
	 .extra = &queue_range, .summary = "Queues for sending. Unset: 1."},
	{"veth.ipv4.route", &value_routes, AT(veth.ipv4_route), .extra = &inet,
	 .summary = "A network that the host shall reach through this interface; may be repeated."},
	{"veth.ipv6.route", &value_routes, AT(veth.ipv6_route), .extra = &inet6,
	 .summary = "The same for IPv6."},
	{"veth.vlan.id", &value_vlan, AT(veth.vlan),
	 .summary = "VLAN of untagged packets on a bridge with VLAN filtering; 'none' takes it "
		    "out of the bridge's default VLAN."},
	{"veth.vlan.tagged.id", &value_vlans, AT(veth.tagged),
	 .summary = "A VLAN whose packets it gets with their tag; may be repeated."},
	{"l2proxy", &conf_bool, AT(l2proxy),
	 .summary = "1: the host answers on the link when someone there asks for the container's "
		    "addresses. For veth in mode router and ipvlan in mode l3s."},
	{"macvlan.mode", &conf_choice, AT(macvlan_mode), .syntax = "private|vepa|bridge|passthru",
	 .extra = macvlan_modes, .summary = "How macvlan interfaces of one link see each other."},
	{"ipvlan.mode", &conf_choice, AT(ipvlan_mode), .syntax = "l3|l3s|l2", .extra = ipvlan_modes,
	 .summary = "On which layer it works."},
	{"ipvlan.isolation", &conf_choice, AT(ipvlan_isolation), .syntax = "bridge|private|vepa",
	 .extra = ipvlan_isolations,
	 .summary = "Whether ipvlan interfaces of one link see each other."},
	{"vlan.id", &value_number, AT(vlan_id), .syntax = "1..4094", .extra = &vlan_range,
	 .summary = "The VLAN of an interface of type vlan."},
	{"publish", &value_publish, AT(publish),
	 .summary = "A port of the host, or a range such as 8000-8009, that leads to one of the "
		    "container, such as tcp:8080:80; may be repeated. For veth with an address "
		    "that is set here or belongs to the managed network (lxc-net(1))."},
	{NULL},
};

#define MEMBER_TYPE 0 /* rows of the table above */
#define ROW(key) ((size_t)((key)-members))

/* Which members fit which types; those that no line names fit all that make something. */
static bool fits(const struct nic_type *type, const struct conf_key *member)
{
	static const struct {
		const char *start;
		const struct nic_type *type;
	} bound[] = {
		{"veth.", &nic_veth},
		{"macvlan.", &nic_macvlan},
		{"ipvlan.", &nic_ipvlan},
		{"vlan.", &nic_vlan},
		{"publish", &nic_veth},
	};

	if (ROW(member) == MEMBER_TYPE)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(bound); i++)
		if (str_starts(member->name, bound[i].start))
			return type == bound[i].type;
	if (strcmp(member->name, "l2proxy") == 0)
		return type == &nic_veth || type == &nic_ipvlan;
	if (type == &nic_empty)
		return strcmp(member->name, "flags") == 0 || str_starts(member->name, "script.");
	if (type == &nic_ipvlan &&
	    strcmp(member->name, "hwaddr") == 0) /* it has that of its link */
		return false;
	return !type->plain;
}

static int refuse_member(const struct nic_type *type, unsigned index, const struct conf_key *member,
			 struct error *err)
{
	return error_set(err, EINVAL, "lxc.net.%u.%s does not fit an interface of type %s", index,
			 member->name, type->word);
}

/* ---- the family ---- */

static void clear_member(struct nic_conf *nic, const struct conf_key *member)
{
	nic->given &= ~(1ULL << ROW(member));
	if (ROW(member) != MEMBER_TYPE && !member->unsupported)
		member->type->clear((char *)nic + member->offset, member, "");
}

static void forget_all(struct nic_conf *nic)
{
	for (const struct conf_key *m = members; m->name; m++)
		clear_member(nic, m);
	nic->type = NULL;
}

static size_t place_of(const struct network_conf *net, unsigned index)
{
	size_t at = 0;

	while (at < net->n && net->v[at]->index < index)
		at++;
	return at;
}

static struct nic_conf *find(const struct network_conf *net, unsigned index)
{
	size_t at = place_of(net, index);

	return at < net->n && net->v[at]->index == index ? net->v[at] : NULL;
}

static struct nic_conf *add(struct network_conf *net, unsigned index)
{
	size_t at = place_of(net, index);
	struct nic_conf **v = realloc(net->v, (net->n + 1) * sizeof(struct nic_conf *));
	struct nic_conf *nic = calloc(1, sizeof(*nic));

	if (v)
		net->v = v;
	if (!v || !nic) {
		free(nic);
		return NULL;
	}
	nic->index = index;
	memmove(v + at + 1, v + at, (net->n - at) * sizeof(struct nic_conf *));
	v[at] = nic;
	net->n++;
	return nic;
}

static void drop(struct network_conf *net, unsigned index)
{
	size_t at = place_of(net, index);

	if (at == net->n || net->v[at]->index != index)
		return;
	forget_all(net->v[at]);
	free(net->v[at]);
	net->n--;
	memmove(net->v + at, net->v + at + 1, (net->n - at) * sizeof(struct nic_conf *));
}

static void drop_all(struct network_conf *net)
{
	while (net->n)
		drop(net, net->v[net->n - 1]->index);
	free(net->v);
	net->v = NULL;
}

/* "3.ipv4.address" -> 3 and the member; *ret_rest "" for "3" alone. */
static bool split(const char *sub, unsigned *ret_index, const char **ret_rest)
{
	size_t n = strspn(sub, "0123456789");
	char digits[8];
	unsigned long long index;

	if (n == 0 || n >= sizeof(digits) || (sub[n] && (sub[n] != '.' || !sub[n + 1])))
		return false;
	memcpy(digits, sub, n);
	digits[n] = '\0';
	if (!str_to_u64(digits, &index) || index > INDEX_MAX)
		return false;
	*ret_index = (unsigned)index;
	*ret_rest = sub[n] ? sub + n + 1 : sub + n;
	return true;
}

static const struct conf_key *find_member(const char *name)
{
	for (const struct conf_key *m = members; m->name; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

static int set_type(struct nic_conf *nic, const char *value, struct error *err)
{
	const struct nic_type *type = nic_type_find(value);

	if (!type)
		return error_set(err, EINVAL, "\"%.80s\" is no type of interface; there are %s",
				 value, type_of_type.syntax);
	if (nic->type) {
		forget_all(nic);
	} else {
		for (const struct conf_key *m = members; m->name; m++)
			if (nic->given & 1ULL << ROW(m) && !fits(type, m))
				return refuse_member(type, nic->index, m, err);
	}
	nic->type = type;
	return 0;
}

static int set_member(struct nic_conf *nic, const struct conf_key *member, const char *value,
		      struct error *err)
{
	if (ROW(member) == MEMBER_TYPE)
		return set_type(nic, value, err);
	if (nic->type && !fits(nic->type, member))
		return refuse_member(nic->type, nic->index, member, err);
	if (member->unsupported)
		return error_set(err, ENOTSUP, "%s", member->unsupported);
	return member->type->set((char *)nic + member->offset, member, "", value, err);
}

static int set_family(void *field, const struct conf_key *key, const char *sub, const char *value,
		      struct error *err)
{
	struct network_conf *net = field;
	const struct conf_key *member;
	struct nic_conf *nic;
	const char *rest;
	unsigned index;
	bool fresh;

	if (!split(sub, &index, &rest))
		return error_set(err, EINVAL,
				 "\"%.80s\" is no interface of a container: lxc.net.N.KEY, "
				 "with N from 0 to %d",
				 sub, INDEX_MAX);
	if (!*rest)
		return error_set(err, EINVAL, "it takes no value; empty, it removes the interface");
	member = find_member(rest);
	if (!member)
		return error_set(err, EINVAL, "an interface has no key \"%.80s\"", rest);
	nic = find(net, index);
	fresh = !nic;
	if (fresh)
		nic = add(net, index);
	if (!nic)
		return error_set(err, ENOMEM, "cannot keep the value: out of memory");
	if (set_member(nic, member, value, err) < 0) {
		if (fresh)
			drop(net, index);
		return -1;
	}
	nic->given |= 1ULL << ROW(member);
	return 0;
}

static void get_family(const void *field, const struct conf_key *key, const char *sub,
		       struct buf *out)
{
	const struct conf_key *member;
	const struct nic_conf *nic;
	const char *rest;
	unsigned index;

	if (!split(sub, &index, &rest))
		return;
	nic = find(field, index);
	member = find_member(rest);
	/* What does not fit has no value, not even the one that stands for 'unset'. */
	if (nic && member && !member->unsupported && (!nic->type || fits(nic->type, member)))
		member->type->get((const char *)nic + member->offset, member, "", out);
}

static void clear_family(void *field, const struct conf_key *key, const char *sub)
{
	const struct conf_key *member;
	struct nic_conf *nic;
	const char *rest;
	unsigned index;

	if (!*sub) {
		drop_all(field);
		return;
	}
	if (!split(sub, &index, &rest))
		return;
	nic = find(field, index);
	member = find_member(rest);
	if (nic && (!*rest || (member && ROW(member) == MEMBER_TYPE)))
		drop(field, index);
	else if (nic && member)
		clear_member(nic, member);
}

static bool replaces(const struct conf_key *key, const char *sub)
{
	const struct conf_key *member;
	const char *rest;
	unsigned index;

	member = split(sub, &index, &rest) ? find_member(rest) : NULL;
	return !member || (member->type->replaces && member->type->replaces(member, ""));
}

/* ---- lxc.net itself ---- */

static int set_whole(void *field, const struct conf_key *key, const char *sub, const char *value,
		     struct error *err)
{
	return error_set(err, EINVAL, "it takes no value; empty, it removes all interfaces");
}

static void get_whole(const void *field, const struct conf_key *key, const char *sub,
		      struct buf *out)
{
	const struct network_conf *net = field;

	for (size_t i = 0; i < net->n; i++)
		buf_addf(out, "%s\n", net->v[i]->type ? net->v[i]->type->word : "(no type)");
}

static void clear_whole(void *field, const struct conf_key *key, const char *sub)
{
	drop_all(field);
}

static const struct conf_type family = {"VALUE", set_family, get_family, clear_family, replaces};
static const struct conf_type whole = {"(empty)", set_whole, get_whole, clear_whole};

static const struct conf_key keys[] = {
	{"lxc.net.", &family, 0, .syntax = "VALUE", .members = members,
	 .summary = "One interface of the container: lxc.net.N.KEY, with a number N. Nothing is "
		    "made of them when the network is shared with another container or kept "
		    "(lxc.namespace.share.net, lxc.namespace.keep)."},
	{"lxc.net", &whole, 0,
	 .summary = "Empty, it removes all interfaces set so far. Without any, the container has "
		    "a network of its own in which only the loopback is up."},
	{NULL},
};

const struct conf_section network_section = {"network", sizeof(struct network_conf), keys};

const char *nic_where(const struct conf *conf, const struct nic_conf *nic, const char *sub,
		      struct nic_where *text)
{
	char key[64];
	const char *place;

	snprintf(key, sizeof(key), "lxc.net.%u.%s", nic->index, sub);
	place = conf_where(conf, key);
	snprintf(text->text, sizeof(text->text), "%s%s%s", key, place ? ", " : "",
		 place ? place : "");
	return text->text;
}
