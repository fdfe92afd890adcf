/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of running containers, as dnsmasq serves them: a small file in the manner of hosts(5) for
 * each interface, in a directory that dnsmasq watches.
 */
#include "base/fd.h"
#include "base/path.h"
#include "parts/network/managed/managed.h"
#include "parts/network/nic.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A label of RFC 1123, for that is what can be asked for; a container may have other names. */
bool name_is_valid(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > 63 || name[0] == '-' || name[n - 1] == '-')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '-')
			return false;
	return true;
}

void name_file(const struct lease_owner *owner, char ret[64])
{
	snprintf(ret, 64, "%016llx.%u",
		 (unsigned long long)network_hash(owner->lxcpath, owner->name, "lease"),
		 owner->index);
}

static void add_line(struct buf *text, const struct managed *m, const char *name,
		     const struct address *a)
{
	char address[INET6_ADDRSTRLEN];

	if (!a || !a->family)
		return;
	buf_puts(text, address_text(a, address));
	if (*m->domain)
		buf_addf(text, " %s.%s", name, m->domain);
	buf_addf(text, " %s\n", name);
}

int name_add(const struct managed *m, const char *file, const char *name,
	     const struct address *ipv4, const struct address *ipv6, struct error *err)
{
	autofree char *fresh = str_printf(MANAGED_RUN "/.%s", file);
	autofree char *path = str_printf(MANAGED_HOSTS "/%s", file);
	autobuf struct buf text = BUF_INIT;

	add_line(&text, m, name, ipv4);
	add_line(&text, m, name, ipv6);
	if (!fresh || !path || text.failed)
		return error_set(err, ENOMEM, "out of memory");
	/* dnsmasq would read it half written: it is made elsewhere. */
	if (file_replace(AT_FDCWD, fresh, text.s ? text.s : "", 0644) == 0 &&
	    rename(fresh, path) == 0)
		return 0;
	return error_sys(err, "cannot write \"%s\"", path);
}

void name_remove(const char *file)
{
	autofree char *path = str_printf(MANAGED_HOSTS "/%s", file);

	if (path && !strchr(file, '/') && unlink(path) == 0)
		dnsmasq_reload();
}
