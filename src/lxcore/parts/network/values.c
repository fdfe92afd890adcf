/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The types of values of an interface's keys.  What is wrong with a value is said here, while file
 * and line of its setting are known; what is wrong with several together is for the check doors.
 */
#include "parts/network/values.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static int refuse(struct error *err, const char *value, struct error *why)
{
	return error_set(err, why->code, "\"%.80s\" %s", value, why->text);
}

static int set_interface_name(void *field, const struct conf_key *key, const char *sub,
			      const char *value, struct error *err)
{
	char *name = field;

	if (strlen(value) >= IFNAMSIZ)
		return error_set(err, EINVAL,
				 "\"%.80s\" is too long for an interface's name: %zu "
				 "characters, %d at most",
				 value, strlen(value), IFNAMSIZ - 1);
	if (strcmp(value, ".") == 0 || strcmp(value, "..") == 0)
		return error_set(err, EINVAL, "\"%s\" cannot name an interface", value);
	for (const char *p = value; *p; p++)
		if (strchr("/:%", *p) || !isgraph((unsigned char)*p))
			return error_set(err, EINVAL,
					 "\"%s\" cannot name an interface: it has a "
					 "character that the kernel does not take",
					 value);
	strcpy(name, value);
	return 0;
}

static void get_text(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	buf_puts(out, field);
}

static void clear_text(void *field, const struct conf_key *key, const char *sub)
{
	*(char *)field = '\0';
}

static int set_hwaddr(void *field, const struct conf_key *key, const char *sub, const char *value,
		      struct error *err)
{
	struct error why = {0};

	if (hwaddr_check(value, &why) < 0)
		return refuse(err, value, &why);
	strcpy(field, value);
	return 0;
}

static int set_up(void *field, const struct conf_key *key, const char *sub, const char *value,
		  struct error *err)
{
	if (strcmp(value, "up") != 0)
		return error_set(err, EINVAL,
				 "\"%.80s\" is not 'up'; leave the key out for an "
				 "interface that stays down",
				 value);
	*(bool *)field = true;
	return 0;
}

static void get_up(const void *field, const struct conf_key *key, const char *sub, struct buf *out)
{
	if (*(const bool *)field)
		buf_puts(out, "up");
}

static void clear_up(void *field, const struct conf_key *key, const char *sub)
{
	*(bool *)field = false;
}

/* Numbers of which none is 0, so 0 is 'unset'. */
static int set_number(void *field, const struct conf_key *key, const char *sub, const char *value,
		      struct error *err)
{
	return conf_uint.set(field, key, sub, value, err);
}

static void get_number(const void *field, const struct conf_key *key, const char *sub,
		       struct buf *out)
{
	if (*(const unsigned *)field)
		conf_uint.get(field, key, sub, out);
}

static void clear_number(void *field, const struct conf_key *key, const char *sub)
{
	conf_uint.clear(field, key, sub);
}

static int family_of(const struct conf_key *key)
{
	return *(const int *)key->extra;
}

static int set_addresses(void *field, const struct conf_key *key, const char *sub,
			 const char *value, struct error *err)
{
	struct error why = {0};
	struct address a;

	if (strcmp(value, "auto") == 0) {
		((struct addresses *)field)->automatic = true;
		return 0;
	}
	if (address_parse(&a, family_of(key), value, &why) < 0)
		return refuse(err, value, &why);
	return addresses_add(field, &a, err);
}

static int set_routes(void *field, const struct conf_key *key, const char *sub, const char *value,
		      struct error *err)
{
	struct error why = {0};
	struct address a;

	if (address_parse_route(&a, family_of(key), value, &why) < 0)
		return refuse(err, value, &why);
	return addresses_add(field, &a, err);
}

static void get_addresses(const void *field, const struct conf_key *key, const char *sub,
			  struct buf *out)
{
	const struct addresses *list = field;
	char text[INET6_ADDRSTRLEN];

	if (list->automatic)
		buf_puts(out, "auto");
	for (size_t i = 0; i < list->n; i++)
		buf_addf(out, "%s%s/%u", i || list->automatic ? "\n" : "",
			 address_text(&list->v[i], text), list->v[i].prefix);
}

static void clear_addresses(void *field, const struct conf_key *key, const char *sub)
{
	addresses_free(field);
}

static int set_gateway(void *field, const struct conf_key *key, const char *sub, const char *value,
		       struct error *err)
{
	struct gateway g = {.how = GATEWAY_ADDRESS};

	if (strcmp(value, "auto") == 0)
		g.how = GATEWAY_AUTO;
	else if (strcmp(value, "dev") == 0)
		g.how = GATEWAY_DEV;
	else if (!address_parse_plain(&g.address, family_of(key), value))
		return error_set(err, EINVAL,
				 "\"%.80s\" is neither an IPv%d address nor 'auto' nor "
				 "'dev'",
				 value, family_of(key) == AF_INET ? 4 : 6);
	if (g.how == GATEWAY_ADDRESS && !address_is_host(&g.address))
		return error_set(err, EINVAL, "\"%.80s\" is not the address of a host", value);
	*(struct gateway *)field = g;
	return 0;
}

static void get_gateway(const void *field, const struct conf_key *key, const char *sub,
			struct buf *out)
{
	static const char *const words[] = {
		[GATEWAY_NONE] = "",
		[GATEWAY_AUTO] = "auto",
		[GATEWAY_DEV] = "dev",
	};
	const struct gateway *g = field;
	char text[INET6_ADDRSTRLEN];

	buf_puts(out, g->how == GATEWAY_ADDRESS ? address_text(&g->address, text) : words[g->how]);
}

static void clear_gateway(void *field, const struct conf_key *key, const char *sub)
{
	*(struct gateway *)field = (struct gateway){0};
}

static bool vlan_number(const char *value, unsigned long long *ret)
{
	/* IEEE 802.1Q: 4095 is reserved; 0 stands for 'no VLAN' and the kernel refuses it later. */
	return str_to_u64(value, ret) && *ret <= 4094;
}

static int set_vlan(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	unsigned long long id;

	if (strcmp(value, "none") == 0) {
		*(struct vlan *)field = (struct vlan){.given = true, .id = -1};
		return 0;
	}
	if (!vlan_number(value, &id) || id == 0)
		return error_set(err, EINVAL,
				 "\"%.80s\" is neither a VLAN id (1 to 4094) nor 'none'", value);
	*(struct vlan *)field = (struct vlan){.given = true, .id = (int)id};
	return 0;
}

static void get_vlan(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	const struct vlan *vlan = field;

	if (vlan->given)
		buf_addf(out, "%d", vlan->id);
}

static void clear_vlan(void *field, const struct conf_key *key, const char *sub)
{
	*(struct vlan *)field = (struct vlan){0};
}

static int set_vlans(void *field, const struct conf_key *key, const char *sub, const char *value,
		     struct error *err)
{
	struct vlans *list = field;
	unsigned long long id;
	uint16_t *v;

	if (!vlan_number(value, &id) || id == 0)
		return error_set(err, EINVAL, "\"%.80s\" is no VLAN id (1 to 4094)", value);
	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (!v)
		return error_set(err, ENOMEM, "cannot keep the value: out of memory");
	list->v = v;
	list->v[list->n++] = (uint16_t)id;
	return 0;
}

static void get_vlans(const void *field, const struct conf_key *key, const char *sub,
		      struct buf *out)
{
	const struct vlans *list = field;

	for (size_t i = 0; i < list->n; i++)
		buf_addf(out, "%s%u", i ? "\n" : "", list->v[i]);
}

static void clear_vlans(void *field, const struct conf_key *key, const char *sub)
{
	struct vlans *list = field;

	free(list->v);
	*list = (struct vlans){0};
}

const struct conf_type value_interface = {
	"INTERFACE", set_interface_name, get_text, clear_text, conf_replaces,
};
const struct conf_type value_hwaddr = {
	"AA:BB:CC:DD:EE:FF", set_hwaddr, get_text, clear_text, conf_replaces,
};
const struct conf_type value_up = {
	"up", set_up, get_up, clear_up, conf_replaces,
};
const struct conf_type value_number = {
	"NUMBER", set_number, get_number, clear_number, conf_replaces,
};
const struct conf_type value_addresses = {
	"ADDRESS[/PREFIX]|auto",
	set_addresses,
	get_addresses,
	clear_addresses,
};
const struct conf_type value_routes = {
	"NETWORK/PREFIX",
	set_routes,
	get_addresses,
	clear_addresses,
};
const struct conf_type value_gateway = {
	"ADDRESS|auto|dev", set_gateway, get_gateway, clear_gateway, conf_replaces,
};
const struct conf_type value_vlan = {
	"ID|none", set_vlan, get_vlan, clear_vlan, conf_replaces,
};
const struct conf_type value_vlans = {
	"ID",
	set_vlans,
	get_vlans,
	clear_vlans,
};
