/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Settings of the managed network, as administrators know them: variables in SYSCONFDIR/default/lxc
 * and SYSCONFDIR/default/lxc-net, files that a shell could read.  We are no shell: we read plain
 * assignments, with quotes and the values of other variables, and the line by which one file reads
 * the other.  Anything else is refused rather than misunderstood.
 *
 * Who sets LXC_ADDR alone gets the network around it; a network that contradicts its address is
 * refused.
 */
#include "base/fd.h"
#include "base/sha256.h"
#include "parts/network/managed/managed.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MAIN_FILE LXCORE_SYSCONFDIR "/default/lxc"
#define NET_FILE LXCORE_SYSCONFDIR "/default/lxc-net"
#define MAX_DEPTH 4

struct variable {
	char *name, *value, *where;
};
struct variables {
	struct variable *v;
	size_t n;
	bool read_net; /* NET_FILE was read */
};

static void variables_free(struct variables *vars)
{
	for (size_t i = 0; i < vars->n; i++) {
		free(vars->v[i].name);
		free(vars->v[i].value);
		free(vars->v[i].where);
	}
	free(vars->v);
}

/* The last setting of a name, or NULL. */
static const struct variable *find(const struct variables *vars, const char *name, size_t n)
{
	for (size_t i = vars->n; i-- > 0;)
		if (strlen(vars->v[i].name) == n && memcmp(vars->v[i].name, name, n) == 0)
			return &vars->v[i];
	return NULL;
}

static int add(struct variables *vars, const char *name, size_t n, char *value, char *where)
{
	struct variable *v = realloc(vars->v, (vars->n + 1) * sizeof(*v));
	char *copy = strndup(name, n);

	if (v)
		vars->v = v;
	if (!v || !copy || !value || !where) {
		free(copy);
		free(value);
		free(where);
		return -1;
	}
	v[vars->n++] = (struct variable){copy, value, where};
	return 0;
}

/* ---- one line ---- */

static size_t name_length(const char *text)
{
	size_t n = 0;

	if (!isalpha((unsigned char)*text) && *text != '_')
		return 0;
	while (isalnum((unsigned char)text[n]) || text[n] == '_')
		n++;
	return n;
}

/* '$NAME' or '${NAME}' at *at; false when it is neither. */
static bool expand(const struct variables *vars, const char **at, struct buf *out)
{
	bool braces = (*at)[1] == '{';
	const char *name = *at + 1 + braces;
	size_t n = name_length(name);
	const struct variable *v = n ? find(vars, name, n) : NULL;

	if (!n || (braces && name[n] != '}'))
		return false;
	if (v)
		buf_puts(out, v->value);
	*at = name + n + braces;
	return true;
}

/* A value to its end, where only blanks and a comment may follow; false when a shell is needed. */
static bool read_value(const struct variables *vars, const char *at, struct buf *out)
{
	char quote = 0;

	for (; *at && (quote || !isspace((unsigned char)*at));) {
		if (quote ? *at == quote : *at == '"' || *at == '\'') {
			quote = quote ? 0 : *at;
			at++;
		} else if (*at == '$' && quote != '\'') {
			if (!expand(vars, &at, out))
				return false;
		} else if (strchr(quote ? "`" : "`;&|<>()*?\\", *at) && quote != '\'') {
			return false;
		} else {
			buf_add(out, at++, 1);
		}
	}
	at += strspn(at, " \t\r");
	return !quote && (!*at || *at == '#');
}

static int read_file(struct variables *vars, const char *path, int depth, struct error *err);

/* '. FILE', alone or behind a test whether FILE is there; NULL when the line is something else. */
static char *included(const struct variables *vars, const char *line)
{
	autobuf struct buf path = BUF_INIT;
	const char *dot = line;

	if (str_starts(line, "[ ") || str_starts(line, "test ")) {
		dot = strstr(line, "|| ");
		dot = dot ? dot : strstr(line, "&& ");
		dot = dot ? dot + 3 : line;
	}
	if (str_starts(dot, ". "))
		dot += 2;
	else if (str_starts(dot, "source "))
		dot += strlen("source ");
	else
		return NULL;
	dot += strspn(dot, " \t");
	return *dot && read_value(vars, dot, &path) ? buf_steal(&path) : NULL;
}

static int read_line(struct variables *vars, const char *line, const char *where, int depth,
		     struct error *err)
{
	struct buf value = BUF_INIT;
	autofree char *other = NULL;
	size_t n;

	line += strspn(line, " \t\r");
	if (!*line || *line == '#')
		return 0;
	if (str_starts(line, "export "))
		line += strlen("export ") + strspn(line + strlen("export "), " ");
	n = name_length(line);
	if (n && line[n] == '=' && read_value(vars, line + n + 1, &value)) {
		buf_add(&value, "", 0);
		if (add(vars, line, n, value.s ? buf_steal(&value) : strdup(""), strdup(where)) < 0)
			return error_set(err, ENOMEM, "out of memory");
		return 0;
	}
	buf_free(&value);
	other = included(vars, line);
	if (other)
		return read_file(vars, other, depth + 1, err);
	error_set(err, EINVAL,
		  "cannot read the settings of the managed network: %s is no plain "
		  "VARIABLE=VALUE",
		  where);
	return error_mend(err, "write the value itself into that line, or make it a comment");
}

static int read_text(struct variables *vars, char *text, const char *file, int depth,
		     struct error *err)
{
	char *line;

	for (size_t number = 1; (line = strsep(&text, "\n")); number++) {
		autofree char *where = str_printf("%s:%zu", file, number);

		if (!where || read_line(vars, line, where, depth, err) < 0)
			return where ? -1 : error_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

static int read_file(struct variables *vars, const char *path, int depth, struct error *err)
{
	autobuf struct buf text = BUF_INIT;

	/* The two files know each other by the place where distributions have them. */
	if (strcmp(path, "/etc/default/lxc-net") == 0)
		path = NET_FILE;
	if (strcmp(path, NET_FILE) == 0)
		vars->read_net = true;
	if (depth > MAX_DEPTH)
		return error_set(err, ELOOP, "\"%s\" is read by files that read each other", path);
	if (file_read(AT_FDCWD, path, &text) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return error_sys(err, "cannot read \"%s\"", path);
	}
	return text.s ? read_text(vars, text.s, path, depth, err) : 0;
}

/* ---- what the values mean ---- */

static const char *text_of(const struct variables *vars, const char *name, const char *preset)
{
	const struct variable *v = find(vars, name, strlen(name));

	return v ? v->value : preset;
}

static int refuse(const struct variables *vars, const char *name, struct error *err,
		  const char *what)
{
	const struct variable *v = find(vars, name, strlen(name));

	return error_set(err, EINVAL, "%s=\"%.80s\" %s (%s)", name, v ? v->value : "", what,
			 v ? v->where : "its preset");
}

static int read_bool(const struct variables *vars, const char *name, bool preset, bool *ret,
		     struct error *err)
{
	const char *text = text_of(vars, name, preset ? "true" : "false");

	*ret = strcmp(text, "true") == 0;
	if (*ret || strcmp(text, "false") == 0)
		return 0;
	return refuse(vars, name, err, "is neither true nor false");
}

static int read_address(const struct variables *vars, const char *name, const char *preset,
			int family, struct address *ret, struct error *err)
{
	if (address_parse_plain(ret, family, text_of(vars, name, preset)) && address_is_host(ret))
		return 0;
	return refuse(vars, name, err,
		      family == AF_INET ? "is no IPv4 address" : "is no IPv6 address");
}

static uint32_t number_of(const struct address *a)
{
	uint32_t n;

	memcpy(&n, a->bytes, sizeof(n));
	return ntohl(n);
}

static void set_number(struct address *a, uint32_t n)
{
	n = htonl(n);
	memcpy(a->bytes, &n, sizeof(n));
}

static uint32_t mask_of(unsigned prefix)
{
	return prefix ? ~0u << (32 - prefix) : 0;
}

/* "255.255.255.0" -> 24; -1. */
static int netmask_prefix(const char *text)
{
	struct address mask;
	uint32_t bits;

	if (!address_parse_plain(&mask, AF_INET, text))
		return -1;
	bits = number_of(&mask);
	for (int prefix = 8; prefix <= 30; prefix++)
		if (mask_of((unsigned)prefix) == bits)
			return prefix;
	return -1;
}

static int read_bridge(const struct variables *vars, struct managed *m, struct error *err)
{
	const char *name = text_of(vars, "LXC_BRIDGE", "lxcbr0");
	const char *mac = text_of(vars, "LXC_BRIDGE_MAC", "10:66:6a:00:00:00");

	if (!*name || strlen(name) >= sizeof(m->bridge) || strpbrk(name, "/: \t\"") ||
	    name[0] == '.')
		return refuse(vars, "LXC_BRIDGE", err, "cannot name an interface");
	strcpy(m->bridge, name);
	if (hwaddr_check(mac, NULL) < 0 || strpbrk(mac, "xX"))
		return refuse(vars, "LXC_BRIDGE_MAC", err, "is no hardware address");
	hwaddr_resolve(mac, 0, m->mac);
	return 0;
}

static int read_network(const struct variables *vars, struct managed *m, struct error *err)
{
	int prefix = netmask_prefix(text_of(vars, "LXC_NETMASK", "255.255.255.0"));
	const char *text = text_of(vars, "LXC_NETWORK", NULL);
	uint32_t mask;

	if (read_address(vars, "LXC_ADDR", "10.0.3.1", AF_INET, &m->address, err) < 0)
		return -1;
	if (prefix < 0)
		return refuse(vars, "LXC_NETMASK", err, "is no network mask");
	mask = mask_of((unsigned)prefix);
	m->address.prefix = (uint8_t)prefix;
	m->network = m->address;
	set_number(&m->network, number_of(&m->address) & mask);
	for (size_t i = 0; i < 4; i++)
		m->address.broadcast[i] = m->network.bytes[i] | (uint8_t)(~mask >> (24 - 8 * i));
	if (text) {
		struct address said;

		if (address_parse_route(&said, AF_INET, text, NULL) < 0)
			return refuse(vars, "LXC_NETWORK", err, "is no NETWORK/PREFIX");
		if (said.prefix != prefix || !address_same(&said, &m->network))
			return refuse(vars, "LXC_NETWORK", err,
				      "is not the network of LXC_ADDR and LXC_NETMASK");
	}
	if (!memcmp(m->address.bytes, m->network.bytes, 4) ||
	    !memcmp(m->address.bytes, m->address.broadcast, 4))
		return refuse(vars, "LXC_ADDR", err, "is not the address of a host");
	return 0;
}

static int read_range(const struct variables *vars, struct managed *m, struct error *err)
{
	const char *text = text_of(vars, "LXC_DHCP_RANGE", NULL);
	autostrv struct strv ends = {0};
	unsigned long long max;
	uint32_t size = ~mask_of(m->network.prefix);

	m->first = m->last = m->network;
	set_number(&m->first, number_of(&m->network) + 1);
	set_number(&m->last, number_of(&m->network) + size - 1);
	if (!text && address_same(&m->first, &m->address))
		set_number(&m->first, number_of(&m->network) + 2);
	if (text) {
		if (strv_split(&ends, text, ", ") < 0)
			return error_set(err, ENOMEM, "out of memory");
		if (ends.n != 2 || !address_parse_plain(&m->first, AF_INET, ends.v[0]) ||
		    !address_parse_plain(&m->last, AF_INET, ends.v[1]))
			return refuse(vars, "LXC_DHCP_RANGE", err, "is not 'ADDRESS,ADDRESS'");
		if (!address_covers(&m->network, &m->first) ||
		    !address_covers(&m->network, &m->last) ||
		    number_of(&m->first) > number_of(&m->last))
			return refuse(vars, "LXC_DHCP_RANGE", err,
				      "is no range inside the network of LXC_ADDR");
	}
	if (!str_to_u64(text_of(vars, "LXC_DHCP_MAX", "253"), &max) || max < 1 || max > 1 << 24)
		return refuse(vars, "LXC_DHCP_MAX", err, "is no number of leases");
	m->dhcp_max = (unsigned)max;
	return 0;
}

/* The file's name and the domain go to dnsmasq as words of their own, but dnsmasq reads lists. */
static int read_names(const struct variables *vars, struct managed *m, struct error *err)
{
	const char *domain = text_of(vars, "LXC_DOMAIN", "lxc");
	const char *file = text_of(vars, "LXC_DHCP_CONFILE", "");

	for (const char *p = domain; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-._", *p))
			return refuse(vars, "LXC_DOMAIN", err, "is no domain");
	if (*file && (*file != '/' || access(file, R_OK) < 0))
		return refuse(vars, "LXC_DHCP_CONFILE", err, "is no file that can be read");
	m->domain = strdup(domain);
	m->dhcp_conf = strdup(file);
	return m->domain && m->dhcp_conf ? 0 : error_set(err, ENOMEM, "out of memory");
}

/* ---- IPv6 ---- */

/* An address of our own that no router knows (RFC 4193), of this machine and always the same. */
static bool own_prefix(char ret[24])
{
	autobuf struct buf text = BUF_INIT;
	uint8_t digest[SHA256_BYTES];
	size_t before;

	buf_puts(&text, "LXC_IPV6_PREFIX\n");
	before = text.len;
	if (file_read(AT_FDCWD, "/etc/machine-id", &text) < 0 || text.len < before + 32)
		return false;
	sha256(text.s, text.len, digest);
	snprintf(ret, 24, "fd%02x:%02x%02x:%02x%02x:%02x%02x", digest[0], digest[1], digest[2],
		 digest[3], digest[4], digest[5], digest[6]);
	return true;
}

static int read_network6(const struct variables *vars, struct managed *m, struct error *err)
{
	const char *network = text_of(vars, "LXC_IPV6_NETWORK", NULL);
	unsigned long long prefix;

	if (!str_to_u64(text_of(vars, "LXC_IPV6_MASK", "64"), &prefix) || prefix < 16 ||
	    prefix > 126)
		return refuse(vars, "LXC_IPV6_MASK", err, "is no length of a prefix");
	m->address6.prefix = (uint8_t)prefix;
	m->network6 = m->address6;
	for (unsigned bit = (unsigned)prefix; bit < 128; bit++)
		m->network6.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	if (network && *network) {
		struct address said;

		if (address_parse_route(&said, AF_INET6, network, NULL) < 0 ||
		    said.prefix != prefix || !address_same(&said, &m->network6))
			return refuse(vars, "LXC_IPV6_NETWORK", err,
				      "is not the network of LXC_IPV6_ADDR and LXC_IPV6_MASK");
	}
	return 0;
}

static int read_ipv6(const struct variables *vars, struct managed *m, struct error *err)
{
	const struct variable *address = find(vars, "LXC_IPV6_ADDR", strlen("LXC_IPV6_ADDR"));
	char prefix[24] = "", text[INET6_ADDRSTRLEN + 4];
	const char *given = text_of(vars, "LXC_IPV6_PREFIX", "");
	bool enabled;

	if (read_bool(vars, "LXC_IPV6_ENABLE", true, &enabled, err) < 0 ||
	    read_bool(vars, "LXC_IPV6_NAT", true, &m->nat6, err) < 0)
		return -1;
	/* An empty address is how LXC up to 5.0 said that there is no IPv6. */
	if (!enabled || (address && !*address->value))
		return 0;
	if (access("/proc/sys/net/ipv6", F_OK) < 0) {
		m->why_no_ipv6 = "this kernel has none";
		return 0;
	}
	if (!address && !*given && !own_prefix(prefix)) {
		m->why_no_ipv6 = "there is no /etc/machine-id to derive a network from";
		return 0;
	}
	snprintf(text, sizeof(text), "%.40s::1", *given ? given : prefix);
	if (address)
		return read_address(vars, "LXC_IPV6_ADDR", "", AF_INET6, &m->address6, err) < 0
			       ? -1
			       : read_network6(vars, m, err);
	if (!address_parse_plain(&m->address6, AF_INET6, text))
		return refuse(vars, "LXC_IPV6_PREFIX", err,
			      "is no prefix such as fd12:3456:789a:1");
	return read_network6(vars, m, err);
}

/* ---- all of it ---- */

static int understand(const struct variables *vars, struct managed *m, struct error *err)
{
	const struct variable *use = find(vars, "USE_LXC_BRIDGE", strlen("USE_LXC_BRIDGE"));
	bool nft;

	if (read_bool(vars, "USE_LXC_BRIDGE", true, &m->enabled, err) < 0 ||
	    read_bool(vars, "LXC_USE_NFT", true, &nft, err) < 0 ||
	    read_bool(vars, "LXC_DHCP_PING", true, &m->dhcp_ping, err) < 0)
		return -1;
	if (!nft)
		return refuse(vars, "LXC_USE_NFT", err,
			      "asks for iptables, which is not supported; "
			      "nft works beside it");
	m->enabled_where = use ? strdup(use->where) : NULL;
	if (read_bridge(vars, m, err) < 0 || read_network(vars, m, err) < 0 ||
	    read_range(vars, m, err) < 0 || read_names(vars, m, err) < 0)
		return -1;
	return read_ipv6(vars, m, err);
}

int managed_parse(struct managed *ret, const char *text, const char *file, struct error *err)
{
	struct variables vars = {0};
	autofree char *copy = strdup(text);
	int result;

	*ret = MANAGED_INIT;
	result = copy ? read_text(&vars, copy, file, 0, err)
		      : error_set(err, ENOMEM, "out of memory");
	if (result == 0)
		result = understand(&vars, ret, err);
	variables_free(&vars);
	if (result < 0)
		managed_free(ret);
	return result;
}

int managed_read(struct managed *ret, struct error *err)
{
	struct variables vars = {0};
	int result;

	*ret = MANAGED_INIT;
	result = read_file(&vars, MAIN_FILE, 0, err);
	if (result == 0 && !vars.read_net)
		result = read_file(&vars, NET_FILE, 0, err);
	if (result == 0)
		result = understand(&vars, ret, err);
	variables_free(&vars);
	if (result < 0)
		managed_free(ret);
	return result;
}

void managed_text(const struct managed *m, struct buf *out)
{
	char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];
	const uint8_t *mac = m->mac;
	uint32_t mask = htonl(mask_of(m->network.prefix));
	struct address netmask = {.family = AF_INET};

	memcpy(netmask.bytes, &mask, sizeof(mask));
	buf_addf(out, "USE_LXC_BRIDGE=%s\nLXC_BRIDGE=\"%s\"\n", m->enabled ? "true" : "false",
		 m->bridge);
	buf_addf(out, "LXC_BRIDGE_MAC=%02x:%02x:%02x:%02x:%02x:%02x\n", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	buf_addf(out, "LXC_ADDR=%s\nLXC_NETMASK=%s\n", address_text(&m->address, a),
		 address_text(&netmask, b));
	buf_addf(out, "LXC_NETWORK=%s/%u\n", address_text(&m->network, a), m->network.prefix);
	buf_addf(out, "LXC_DHCP_RANGE=%s,%s\nLXC_DHCP_MAX=%u\n", address_text(&m->first, a),
		 address_text(&m->last, b), m->dhcp_max);
	buf_addf(out, "LXC_DHCP_PING=%s\nLXC_DHCP_CONFILE=\"%s\"\n",
		 m->dhcp_ping ? "true" : "false", m->dhcp_conf);
	buf_addf(out, "LXC_DOMAIN=\"%s\"\nLXC_IPV6_NAT=%s\n", m->domain,
		 m->nat6 ? "true" : "false");
	if (m->address6.family)
		buf_addf(out, "LXC_IPV6_ADDR=%s\nLXC_IPV6_MASK=%u\n", address_text(&m->address6, a),
			 m->address6.prefix);
	else
		buf_puts(out, "LXC_IPV6_ENABLE=false\n");
}

int managed_current(struct managed *ret, struct error *err)
{
	autobuf struct buf text = BUF_INIT;

	*ret = MANAGED_INIT;
	if (file_read(AT_FDCWD, MANAGED_SETTINGS, &text) < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot read \"%s\"", MANAGED_SETTINGS);
	return managed_parse(ret, text.s ? text.s : "", MANAGED_SETTINGS, err) < 0 ? -1 : 1;
}

void managed_free(struct managed *m)
{
	free(m->enabled_where);
	free(m->dhcp_conf);
	free(m->domain);
	*m = MANAGED_INIT;
}
