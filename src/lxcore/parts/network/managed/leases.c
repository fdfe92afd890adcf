/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which container has which address of the managed network.  An interface is given one when it is
 * started for the first time and keeps it until its container is destroyed; whether it is then set
 * before init runs or asked for by DHCP is another matter, it is the same address.
 *
 *     LOCALSTATEDIR/lib/lxc-net/addresses/ADDRESS    whose it is, and dnsmasq's line
 *                                                    'HWADDR,ADDRESS', which reserves it
 *                              /owners/HASH.INDEX    the address, to find it again quickly
 *
 * The name of a file is the claim, and renameat2(RENAME_NOREPLACE) makes it: of two who want one
 * address, one has it and the other looks further.  So there is no lock, nothing to wait for, and
 * after a crash nothing to mend: a claim without its owner's entry is found by the search, which
 * goes the same way each time.
 *
 * Addresses outside of the DHCP range are taken first; inside of it those that dnsmasq has leased
 * are passed over, and it gives none away that is reserved.
 */
#include "base/fd.h"
#include "base/path.h"
#include "parts/network/managed/managed.h"
#include "parts/network/nic.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define OWNERS MANAGED_LEASES "/owners"
#define MAX_PROBES 65536

struct search {
	const struct managed *m;
	const struct lease_owner *owner;
	const uint8_t *mac;
	int dir;           /* addresses */
	struct buf leased; /* dnsmasq's own file */
	uint64_t start;
};

static uint32_t host_order(const struct address *a)
{
	uint32_t n;

	memcpy(&n, a->bytes, sizeof(n));
	return ntohl(n);
}

static uint64_t owner_hash(const char *lxcpath, const char *name)
{
	return network_hash(lxcpath, name, "lease");
}

static void owner_file(const struct lease_owner *o, char ret[128])
{
	snprintf(ret, 128, OWNERS "/%016llx.%u",
		 (unsigned long long)owner_hash(o->lxcpath, o->name), o->index);
}

/* ---- one address's file ---- */

static void mac_text(const uint8_t *mac, char ret[HWADDR_TEXT])
{
	snprintf(ret, HWADDR_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
}

/* The first line is a comment to dnsmasq; the path comes last, for it may hold blanks. */
static char *claim_text(const struct search *s, const char *address)
{
	char mac[HWADDR_TEXT];

	mac_text(s->mac, mac);
	return str_printf("# lxc.net.%u of %s in %s\n%s,%s\n", s->owner->index, s->owner->name,
			  s->owner->lxcpath, mac, address);
}

static bool parse_claim(char *text, struct lease *ret)
{
	char name[256], *path, *end;

	*ret = (struct lease){0};
	if (sscanf(text, "# lxc.net.%u of %255s in ", &ret->index, name) != 2)
		return false;
	path = strstr(text, " in ");
	end = path ? strchr(path, '\n') : NULL;
	if (!end || sscanf(end, "\n%17[0-9a-f:],%45[0-9.]", ret->hwaddr, ret->address) != 2)
		return false;
	*end = '\0';
	ret->name = strdup(name);
	ret->lxcpath = strdup(path + strlen(" in "));
	return true;
}

static void lease_clear(struct lease *l)
{
	free(l->name);
	free(l->lxcpath);
	*l = (struct lease){0};
}

static bool read_claim(int dir, const char *address, struct lease *ret)
{
	autobuf struct buf text = BUF_INIT;

	*ret = (struct lease){0};
	return file_read(dir, address, &text) == 0 && text.s && parse_claim(text.s, ret);
}

static bool is_owner(const struct lease *l, const struct lease_owner *o)
{
	return l->name && l->lxcpath && l->index == o->index && strcmp(l->name, o->name) == 0 &&
	       strcmp(l->lxcpath, o->lxcpath) == 0;
}

static bool same_mac(const struct lease *l, const uint8_t *mac)
{
	char text[HWADDR_TEXT];

	mac_text(mac, text);
	return strcmp(text, l->hwaddr) == 0;
}

/* 1: it is ours; 0: it is another's; -1 with errno.  'flags' of renameat2(2). */
static int write_claim(const struct search *s, const char *address, unsigned flags)
{
	autofree char *text = claim_text(s, address);
	char fresh[48];
	autoclose int fd = -1;
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint64_t)clock_us();
	/* dnsmasq passes over names that begin with a dot. */
	snprintf(fresh, sizeof(fresh), ".%d-%llx", getpid(), (unsigned long long)random);
	fd = text ? openat(s->dir, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : -1;
	if (fd < 0)
		return -1;
	if (fchmod(fd, 0644) == 0 && fd_write_all(fd, text, strlen(text)) == 0 &&
	    renameat2(s->dir, fresh, s->dir, address, flags) == 0)
		return 1;
	int saved = errno;

	unlinkat(s->dir, fresh, 0);
	errno = saved;
	return errno == EEXIST ? 0 : -1;
}

/* ---- looking for a free one ---- */

static void read_leased(struct search *s)
{
	autofree char *path =
		str_printf("%s/lib/misc/dnsmasq.%s.leases", LXCORE_STATEDIR, s->m->bridge);

	buf_free(&s->leased);
	if (path)
		file_read(AT_FDCWD, path, &s->leased);
}

/* To somebody else.  Lines: 'EXPIRY HWADDR ADDRESS NAME CLIENT-ID'. */
static bool is_leased(const struct search *s, const char *address)
{
	size_t n = strlen(address);
	char mac[HWADDR_TEXT];

	mac_text(s->mac, mac);
	for (const char *at = s->leased.s; at && (at = strstr(at, address)); at++)
		if (at - s->leased.s > HWADDR_TEXT && at[-1] == ' ' && at[n] == ' ' &&
		    strncmp(at - HWADDR_TEXT, mac, HWADDR_TEXT - 1) != 0)
			return true;
	return false;
}

/* 1: ours now; 0: no; -1. */
static int try_address(struct search *s, const struct address *a, struct error *err)
{
	char text[INET6_ADDRSTRLEN];
	struct lease lease;
	int got;

	address_text(a, text);
	if (read_claim(s->dir, text, &lease)) {
		bool mine = is_owner(&lease, s->owner);

		if (mine && !same_mac(&lease, s->mac) && write_claim(s, text, 0) < 0)
			mine = false;
		lease_clear(&lease);
		return mine;
	}
	if (is_leased(s, text))
		return 0;
	got = write_claim(s, text, RENAME_NOREPLACE);
	if (got < 0)
		return error_sys(err, "cannot write \"%s/%s\"", MANAGED_RESERVED, text);
	if (got == 0)
		return 0;
	/* From here on dnsmasq leaves it alone; but it may have given it away just before. */
	read_leased(s);
	if (!is_leased(s, text))
		return 1;
	unlinkat(s->dir, text, 0);
	dnsmasq_reload();
	return 0;
}

static int search_part(struct search *s, bool in_range, struct address *ret, struct error *err)
{
	uint32_t base = host_order(&s->m->network), count = ~0u >> s->m->network.prefix;
	uint32_t first = host_order(&s->m->first), last = host_order(&s->m->last);
	uint32_t probes = count < MAX_PROBES ? count : MAX_PROBES;

	for (uint32_t i = 0; i < probes; i++) {
		uint32_t n = base + 1 + (uint32_t)((s->start + i) % count), wire = htonl(n);
		int got;

		if (n == base + count || n == host_order(&s->m->address) ||
		    (n >= first && n <= last) != in_range)
			continue;
		*ret = s->m->address;
		memcpy(ret->bytes, &wire, sizeof(wire));
		got = try_address(s, ret, err);
		if (got != 0)
			return got;
	}
	return 0;
}

/* Containers that were removed by other means than lxc-destroy never gave theirs back. */
static void forget_lost(const struct search *s)
{
	int copy = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;
	bool any = false;

	while (dir && (entry = readdir(dir))) {
		struct lease l;
		char file[64];

		if (entry->d_name[0] == '.' || !read_claim(s->dir, entry->d_name, &l))
			continue;
		autofree char *home = str_printf("%s/%s", l.lxcpath, l.name);
		autofree char *name = NULL;
		struct lease_owner o = {l.lxcpath, l.name, l.index};

		name_file(&o, file);
		name = str_printf(MANAGED_HOSTS "/%s", file);
		if (home && name && access(home, F_OK) < 0 && errno == ENOENT &&
		    access(name, F_OK) < 0)
			any = unlinkat(s->dir, entry->d_name, 0) == 0 || any;
		lease_clear(&l);
	}
	if (any)
		dnsmasq_reload();
}

static int search(struct search *s, struct address *ret, struct error *err)
{
	read_leased(s);
	for (int round = 0; round < 2; round++) {
		int got = search_part(s, false, ret, err);

		if (got == 0)
			got = search_part(s, true, ret, err);
		if (got != 0)
			return got;
		forget_lost(s);
	}
	error_set(err, EADDRNOTAVAIL, "no address of the managed network is free");
	return error_mend(
		err, "lxc-net status      (shows whose they are; a larger LXC_NETMASK makes room)");
}

/* ---- taking and giving back ---- */

/* The address that it had before, if it is still its own. */
static bool find_old(struct search *s, const char *file, struct address *ret)
{
	autobuf struct buf text = BUF_INIT;
	struct address a;
	struct lease lease;
	bool mine;

	if (file_read(AT_FDCWD, file, &text) < 0 || !text.s)
		return false;
	text.s[strcspn(text.s, "\n")] = '\0';
	if (!address_parse_plain(&a, AF_INET, text.s) || !address_covers(&s->m->network, &a) ||
	    address_same(&a, &s->m->address) || !read_claim(s->dir, text.s, &lease))
		return false;
	mine = is_owner(&lease, s->owner) &&
	       (same_mac(&lease, s->mac) || write_claim(s, text.s, 0) == 1);
	lease_clear(&lease);
	*ret = s->m->address; /* prefix and broadcast are the network's */
	memcpy(ret->bytes, a.bytes, sizeof(a.bytes));
	return mine;
}

/* Of an address in a network that is no more. */
static void drop_old(const struct search *s, const char *file)
{
	autobuf struct buf text = BUF_INIT;
	struct lease lease;

	if (file_read(AT_FDCWD, file, &text) < 0 || !text.s)
		return;
	text.s[strcspn(text.s, "\n")] = '\0';
	if (!strchr(text.s, '/') && read_claim(s->dir, text.s, &lease)) {
		if (is_owner(&lease, s->owner))
			unlinkat(s->dir, text.s, 0);
		lease_clear(&lease);
	}
}

static int open_addresses(void)
{
	int fd = open(MANAGED_RESERVED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && path_make_dirs(MANAGED_RESERVED, 0755) == 0 &&
	    path_make_dirs(OWNERS, 0755) == 0)
		fd = open(MANAGED_RESERVED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

int lease_take(const struct managed *m, const struct lease_owner *owner,
	       const uint8_t mac[HWADDR_BYTES], struct address *ret, struct error *err)
{
	struct search s = {.m = m, .owner = owner, .mac = mac};
	autoclose int dir = open_addresses();
	char file[128], text[INET6_ADDRSTRLEN];
	int got = 1;

	if (dir < 0)
		return error_sys(err, "cannot open \"%s\"", MANAGED_RESERVED);
	s.dir = dir;
	owner_file(owner, file);
	if (find_old(&s, file, ret))
		return 0;
	drop_old(&s, file);
	snprintf(text, sizeof(text), "lxc.net.%u", owner->index);
	s.start = network_hash(owner->lxcpath, owner->name, text) >> 1;
	got = search(&s, ret, err);
	buf_free(&s.leased);
	if (got < 0)
		return -1;
	/* Lost in a crash, or on a full disk: then the search finds it. */
	file_replace(AT_FDCWD, file, address_text(ret, text), 0644);
	return 0;
}

void lease_forget(const char *lxcpath, const char *name)
{
	char start[24];
	autodir DIR *dir = opendir(OWNERS);
	autoclose int addresses =
		dir ? open(MANAGED_RESERVED, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct dirent *entry;
	bool any = false;

	snprintf(start, sizeof(start), "%016llx.", (unsigned long long)owner_hash(lxcpath, name));
	while (addresses >= 0 && (entry = readdir(dir))) {
		struct search s = {.dir = addresses};
		autofree char *file = NULL;
		struct lease_owner owner = {lxcpath, name, 0};

		if (!str_starts(entry->d_name, start))
			continue;
		owner.index = (unsigned)strtoul(entry->d_name + strlen(start), NULL, 10);
		s.owner = &owner;
		file = str_printf(OWNERS "/%s", entry->d_name);
		if (file)
			drop_old(&s, file);
		any = unlinkat(dirfd(dir), entry->d_name, 0) == 0 || any;
	}
	if (any)
		dnsmasq_reload();
}

int lease_each(int (*visit)(void *data, const struct lease *lease), void *data)
{
	autodir DIR *dir = opendir(MANAGED_RESERVED);
	struct dirent *entry;
	int result = 0;

	while (dir && result == 0 && (entry = readdir(dir))) {
		struct lease l;

		if (entry->d_name[0] == '.' || !read_claim(dirfd(dir), entry->d_name, &l))
			continue;
		result = visit(data, &l);
		lease_clear(&l);
	}
	return result;
}

bool lease_ipv6(const struct managed *m, const struct lease_owner *owner, struct address *ret)
{
	char word[32];
	uint64_t host;

	if (!m->address6.family || m->address6.prefix > 64)
		return false;
	snprintf(word, sizeof(word), "lxc.net.%u ipv6", owner->index);
	/* 62 bits that follow from the container: no two will ever meet.  Not 'universal' (RFC
	 * 4291, 2.5.1), for it is not made of a hardware address; and above those that people count
	 * up. */
	host = (network_hash(owner->lxcpath, owner->name, word) & ~(3ULL << 56)) | 1ULL << 60;
	*ret = m->network6;
	ret->prefix = m->address6.prefix;
	for (size_t i = 0; i < 8; i++)
		ret->bytes[15 - i] = (uint8_t)(host >> 8 * i);
	return true;
}
