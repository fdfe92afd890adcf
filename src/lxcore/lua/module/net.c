/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module 'lxc': the managed network, lxc-net(1), as lxc.net. */
#include "module.h"

static int start_or_stop(lua_State *L, int (*act)(char ***, lxcore_error *))
{
	lxcore_error *err = module_error(L);
	char **notes = NULL;
	int result = act(&notes, err);

	if (result < 0) {
		lxcore_names_free(notes);
		return module_raise(L, err);
	}
	lua_pushboolean(L, result);
	module_push_list(L, (const char *const *)notes);
	lxcore_names_free(notes);
	return 2;
}

static int start(lua_State *L)
{
	return start_or_stop(L, lxcore_net_start);
}

static int stop(lua_State *L)
{
	return start_or_stop(L, lxcore_net_stop);
}

static void push_leases(lua_State *L, const struct lxcore_net_status *s)
{
	lua_createtable(L, s->n_leases, 0);
	for (int i = 0; i < s->n_leases; i++) {
		const struct lxcore_net_lease *lease = &s->leases[i];

		lua_createtable(L, 0, 5);
		module_set_string(L, "address", lease->address);
		module_set_string(L, "hwaddr", lease->hwaddr);
		module_set_string(L, "name", lease->name);
		module_set_string(L, "path", lease->lxcpath);
		module_set_integer(L, "index", lease->index);
		lua_seti(L, -2, i + 1);
	}
}

static int status(lua_State *L)
{
	lxcore_error *err = module_error(L);
	struct lxcore_net_status s;

	if (lxcore_net_status(&s, err) < 0)
		return module_raise(L, err);
	lua_createtable(L, 0, 12);
	module_set_flag(L, "enabled", s.enabled);
	module_set_flag(L, "up", s.up);
	module_set_string(L, "bridge", s.bridge);
	if (s.ports >= 0)
		module_set_integer(L, "ports", s.ports);
	module_set_string(L, "ipv4", s.ipv4);
	module_set_string(L, "ipv6", s.ipv6);
	module_set_string(L, "dhcp_range", s.dhcp_range);
	module_set_string(L, "domain", s.domain);
	module_set_flag(L, "rules", s.rules);
	if (s.dnsmasq > 0)
		module_set_integer(L, "dnsmasq", s.dnsmasq);
	push_leases(L, &s);
	lua_setfield(L, -2, "leases");
	module_push_list(L, (const char *const *)s.published);
	lua_setfield(L, -2, "published");
	lxcore_net_status_free(&s);
	return 1;
}

static void note_objection(void *data, const char *subject, const lxcore_error *objection)
{
	lua_State *L = data;

	lua_createtable(L, 0, 2);
	module_set_string(L, "subject", subject);
	module_push_error(L, objection);
	lua_setfield(L, -2, "error");
	lua_seti(L, -2, luaL_len(L, -2) + 1);
}

static int check(lua_State *L)
{
	int objections;

	lua_newtable(L);
	objections = lxcore_net_check(note_objection, L);
	lua_pushinteger(L, objections);
	lua_insert(L, -2);
	return 2;
}

const luaL_Reg module_net_functions[] = {
	{"start", start}, {"stop", stop}, {"status", status}, {"check", check}, {NULL, NULL},
};
