/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which containers lxc-ls shows: by name, group, state and whether they have a configuration. */
#include "choice.h"

#include <string.h>

static bool in_groups(const struct lxcore_summary *s, const char *groups)
{
	for (size_t n; *groups; groups += n + (groups[n] == ',')) {
		char **g = s->groups;

		n = strcspn(groups, ",");
		while (n && g && *g && (strncmp(*g, groups, n) != 0 || (*g)[n]))
			g++;
		if (n && (!g || !*g))
			return false;
	}
	return true;
}

bool choice_fits_name(const struct choice *c, const char *name)
{
	if (c->name && strcmp(c->name, name) != 0)
		return false;
	return !c->filter || regexec(c->filter, name, 0, NULL, 0) == 0;
}

bool choice_fits(const struct choice *c, const struct lxcore_summary *s)
{
	const struct ls_options *o = c->o;
	bool any = o->active || o->running || o->frozen || o->stopped;
	bool stopped = s->state == LXCORE_STOPPED;

	if (any && !((o->active || o->running) && !stopped) && !(o->stopped && stopped) &&
	    !(o->frozen && s->state == LXCORE_FROZEN))
		return false;
	if (o->defined && !s->defined)
		return false;
	/* -n names the container; those in it have names of their own. */
	if (s->outer ? c->filter && regexec(c->filter, s->name, 0, NULL, 0) != 0 :
		       !choice_fits_name(c, s->name))
		return false;
	return (!o->groups || in_groups(s, o->groups));
}
