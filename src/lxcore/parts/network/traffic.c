/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The traffic of a container, read again and again.  It is counted at the host's end of an interface:
 * nobody has to go into the container's network for it, and two small files tell it.
 */
#include "parts/network/status.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

static int add_file(struct network_meter *m, const char *link, const char *counter)
{
	char *path = str_printf("/sys/class/net/%s/statistics/%s", link, counter);

	if (!path)
		return -1;
	m->files[m->n_files++] = REREAD(path);
	return 0;
}

static int add_links(struct network_meter *m, const struct network_of *of)
{
	m->files = calloc((size_t)of->n * 2 + 1, sizeof(*m->files));
	if (!m->files)
		return -1;
	for (int i = 0; i < of->n; i++) {
		const char *link = of->interfaces[i].host_name;

		if (!link || strlen(link) >= IFNAMSIZ)
			m->inside = true;
		else if (add_file(m, link, "rx_bytes") < 0 || add_file(m, link, "tx_bytes") < 0)
			return -1;
	}
	return 0;
}

int network_meter_open(pid_t init, struct network_meter *ret, struct error *err)
{
	struct network_of of = {.init = init};
	int result;

	*ret = (struct network_meter){.init = init};
	if (network_interfaces(&of, 1, err) < 0)
		return -1;
	result = add_links(ret, &of);
	lxcore_interfaces_free(of.interfaces, of.n);
	if (result == 0)
		return 0;
	network_meter_close(ret);
	return error_set(err, ENOMEM, "out of memory");
}

static int read_inside(pid_t init, int64_t *ret_received, int64_t *ret_sent)
{
	struct network_of of = {.init = init};
	struct error why = {0};

	if (network_interfaces(&of, 1, &why) < 0) {
		errno = why.code;
		return reread_lacked_descriptors(errno) ? -1 : 0;
	}
	for (int i = 0; i < of.n; i++) {
		*ret_received += (int64_t)of.interfaces[i].rx_bytes;
		*ret_sent += (int64_t)of.interfaces[i].tx_bytes;
	}
	lxcore_interfaces_free(of.interfaces, of.n);
	return 0;
}

int network_meter_read(struct network_meter *m, bool keep, struct buf *text, int64_t *ret_received,
		       int64_t *ret_sent)
{
	*ret_received = *ret_sent = m->inside || m->n_files ? 0 : -1;
	if (m->inside)
		return read_inside(m->init, ret_received, ret_sent);
	for (size_t i = 0; i < m->n_files; i++) {
		/* What the host's end receives was sent inside. */
		int64_t *counter = i % 2 ? ret_received : ret_sent;

		if (reread(&m->files[i], keep, text) == 0)
			*counter += strtoll(text->s, NULL, 10);
		else if (reread_lacked_descriptors(errno))
			return -1;
	}
	return 0;
}

void network_meter_close(struct network_meter *m)
{
	for (size_t i = 0; i < m->n_files; i++)
		reread_free(&m->files[i]);
	free(steal_ptr(&m->files));
	m->n_files = 0;
}
