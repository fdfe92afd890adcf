/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-usernsexec: run a command as root of a user namespace. */
#include "cli.h"
#include "tools.h"

#include <stdlib.h>
#include <string.h>

struct usernsexec_options {
	struct words maps;
	bool self;
	int uid, gid;
};

#define AT(field) offsetof(struct usernsexec_options, field)
static const struct option_row rows[] = {
	{'m', "map", "TYPE:NS:HOST:RANGE",
	 "Map RANGE ids from NS inside to those from HOST on; TYPE is u (users), g (groups) or b "
	 "(both); may be repeated", OPT_LIST, AT(maps)},
	{'s', "self", NULL, "Map your own user and group, too, at the next free ids", OPT_FLAG,
	 AT(self)},
	{'u', "uid", "UID", "User of the command inside (0)", OPT_INT, AT(uid)},
	{'g', "gid", "GID", "Group of the command inside (0)", OPT_INT, AT(gid)},
	{0}
};

/* One number, ended by 'end'. */
static bool take_number(const char **text, char end, uint32_t *ret)
{
	char *after;
	unsigned long long n = strtoull(*text, &after, 10);

	if (after == *text || **text < '0' || **text > '9' || *after != end || n > UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	*text = after + (end != '\0');
	return true;
}

static bool parse_map(const char *text, struct lxcore_idmap *ret)
{
	char kind = *text++;

	if (!strchr("ugb", kind) || *text++ != ':')
		return false;
	ret->kind = kind;
	return take_number(&text, ':', &ret->inside) && take_number(&text, ':', &ret->outside) &&
	       take_number(&text, '\0', &ret->count) && ret->count;
}

static int take_maps(const struct cli *cli, const struct words *words, struct lxcore_idmap *maps,
		     size_t *ret_n)
{
	for (size_t i = 0; i < words->n; i++) {
		struct lxcore_idmap one;

		if (!parse_map(words->v[i], &one))
			return cli_error_mend(cli, "lxc-usernsexec -m b:0:100000:65536      (for "
					      "example)", "\"%s\" is no map", words->v[i]);
		for (const char *kind = "ug"; *kind; kind++)
			if (one.kind == *kind || one.kind == 'b') {
				maps[*ret_n] = one;
				maps[(*ret_n)++].kind = *kind;
			}
	}
	return 0;
}

static int run(struct cli *cli, const void *options)
{
	const struct usernsexec_options *o = options;
	autofree struct lxcore_idmap *maps = must_have(calloc(2 * o->maps.n + 1, sizeof(*maps)));
	struct lxcore_userns how = LXCORE_USERNS_INIT;
	int status = 0;

	if (o->uid < 0 || o->gid < 0)
		return cli_error(cli, "an id is not below 0");
	if (take_maps(cli, &o->maps, maps, &how.n_maps))
		return 1;
	how.maps = maps;
	how.map_self = o->self;
	how.uid = (uid_t)o->uid;
	how.gid = (gid_t)o->gid;
	how.command = cli_command(cli);
	return lxcore_userns_run(&how, &status, cli->err) < 0 ? cli_fail(cli) : cli_status(status);
}

static const struct manual manual = {
	.description =
	"Runs COMMAND (`/bin/sh` when there is none) in a user namespace, and a mount namespace, of "
	"its own, as user 0 inside. So an ordinary user looks at, changes and removes what belongs "
	"to the ids that containers map.\n\n"
	"Without `-m` your first range in `/etc/subuid` and that in `/etc/subgid` are mapped, from 0 "
	"on. Root may map any ids, others what newuidmap(1) and newgidmap(1) allow.",
	.exits = (const struct meaning[]){
		{"N", "the command ended with N"},
		{"128+N", "signal N killed the command"},
		{"1", "the namespace could not be made, or there is no such command"},
		{0}},
	.examples = (const struct meaning[]){
		{"lxc-usernsexec -- ls -l ~/.local/share/lxc/web/rootfs",
		 "See owners as the container does."},
		{"lxc-usernsexec -m b:0:100000:65536 -- id", "With maps of your own."},
		{"lxc-usernsexec -s -- rm -r old", "What is yours and what is the container's."},
		{0}},
	.differences =
	"The options end at the first word of the command, which is then taken as it is; LXC takes "
	"its own options out of it unless `--` stands in front. The three standard descriptors stay "
	"what they are; LXC opens a terminal anew by its name.",
	.see_also = "lxc-unshare lxc-start lxc.container.conf",
};

const struct tool tool_usernsexec = {
	.name = "lxc-usernsexec",
	.purpose = "run a command as root of a user namespace",
	.synopsis = "[OPTION...] [-- COMMAND [ARGUMENT...]]",
	.traits = TOOL_NAMELESS | TOOL_COMMAND | TOOL_OWN_OPTIONS,
	.options = rows,
	.options_size = sizeof(struct usernsexec_options),
	.run = run,
	.manual = &manual,
};
