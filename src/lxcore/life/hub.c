/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The console's hub in the supervisor.  See hub.h. */
#include "base/error.h"
#include "life/hub.h"
#include "base/fd.h"
#include "life/log_times.h"
#include "parts/terminals.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

static int open_log(struct hub *h, struct error *err)
{
	struct stat st;

	h->log = open(h->log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
		      0640);
	if (h->log < 0 || fstat(h->log, &st) < 0)
		return error_sys(err, "cannot write the console's log \"%s\" (lxc.console.logfile)",
				 h->log_path);
	h->log_size = (unsigned long long)st.st_size;
	return 0;
}

int hub_open(struct hub *h, const struct conf *conf, struct error *err)
{
	const struct terminals_conf *t = terminals_conf_of(conf);

	memset(h, 0, sizeof(*h));
	h->master = h->log = -1;
	for (unsigned i = 0; i < HUB_CLIENTS; i++)
		h->clients[i].fd = -1;
	if (t->console_buffer_size) {
		h->ring_size = (size_t)t->console_buffer_size;
		h->ring = mmap(NULL, h->ring_size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (h->ring == MAP_FAILED) {
			h->ring = NULL;
			return error_sys(err, "cannot keep %zu bytes of console output "
					 "(lxc.console.buffer.size)", h->ring_size);
		}
	}
	h->log_path = t->console_logfile;
	h->log_limit = t->console_size;
	h->log_rotate = t->console_rotate;
	return h->log_path ? open_log(h, err) : 0;
}

void hub_set_master(struct hub *h, int master)
{
	h->master = master;
}

/* The file has reached its limit: begin anew, or keep the old one as FILE.1. */
static void turn_log(struct hub *h)
{
	autofree char *old = str_printf("%s.1", h->log_path);

	if (h->log_rotate && old && rename(h->log_path, old) == 0) {
		log_times_turn(h->log_path, old);
		close_fd(&h->log);
		open_log(h, NULL);
	} else if (ftruncate(h->log, 0) == 0) {
		log_times_turn(h->log_path, NULL);
		h->log_size = 0;
	}
	h->noted = 0;
}

static void write_log(struct hub *h, const char *bytes, size_t n)
{
	if (h->log_limit && h->log_size + n > h->log_limit)
		turn_log(h);
	if (h->log < 0)
		return;
	log_times_note(h->log_path, h->log, &h->noted);
	if (fd_write_all(h->log, bytes, n) == 0)
		h->log_size += n;
}

static void keep_in_ring(struct hub *h, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		h->ring[(h->ring_start + h->ring_used) % h->ring_size] = bytes[i];
		if (h->ring_used < h->ring_size)
			h->ring_used++;
		else
			h->ring_start = (h->ring_start + 1) % h->ring_size;
	}
}

static void keep_tail(struct hub *h, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		h->tail[h->tail_end++] = bytes[i];
		if (h->tail_end == HUB_TAIL) {
			h->tail_end = 0;
			h->tail_full = true;
		}
	}
}

static void drop_client(struct hub_client *c)
{
	close_fd(&c->fd);
	c->pending = 0;
}

static void print(struct hub *h, const char *bytes, size_t n)
{
	h->printed += n;
	keep_tail(h, bytes, n);
	if (h->ring)
		keep_in_ring(h, bytes, n);
	if (h->log >= 0)
		write_log(h, bytes, n);
	for (unsigned i = 0; i < HUB_CLIENTS; i++)
		if (h->clients[i].fd >= 0 &&
		    send(h->clients[i].fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
		    errno != EAGAIN)
			drop_client(&h->clients[i]);
}

/* Give the pty what was typed; what it does not take now waits for the next call. */
static void flush_input(struct hub *h, struct hub_client *c)
{
	ssize_t n = c->pending ? write(h->master, c->input, c->pending) : 0;

	if (n <= 0)
		return;
	c->pending -= (unsigned)n;
	memmove(c->input, c->input + n, c->pending);
}

void hub_on_master(struct hub *h)
{
	char bytes[4096];
	ssize_t n;

	while (h->master >= 0 && (n = read(h->master, bytes, sizeof(bytes))) > 0)
		print(h, bytes, (size_t)n);
	for (unsigned i = 0; h->master >= 0 && i < HUB_CLIENTS; i++) {
		if (h->clients[i].fd < 0 || !h->clients[i].pending)
			continue;
		flush_input(h, &h->clients[i]);
		hub_on_client(h, i);
	}
}

bool hub_on_client(struct hub *h, unsigned index)
{
	struct hub_client *c = &h->clients[index];
	ssize_t n;

	/* Edge-triggered: read until nothing is left, or until the pty takes no more. */
	while (c->fd >= 0 && c->pending < sizeof(c->input)) {
		n = read(c->fd, c->input + c->pending, sizeof(c->input) - c->pending);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			drop_client(c);
			break;
		}
		c->pending += (unsigned)n;
		if (h->master < 0)
			c->pending = 0;
		else
			flush_input(h, c);
	}
	return c->fd >= 0;
}

int hub_add_client(struct hub *h, int fd)
{
	for (unsigned i = 0; i < HUB_CLIENTS; i++) {
		if (h->clients[i].fd >= 0)
			continue;
		h->clients[i].fd = fd;
		h->clients[i].pending = 0;
		if (h->tail_full)
			send(fd, h->tail + h->tail_end, HUB_TAIL - h->tail_end,
			     MSG_DONTWAIT | MSG_NOSIGNAL);
		send(fd, h->tail, h->tail_end, MSG_DONTWAIT | MSG_NOSIGNAL);
		return (int)i;
	}
	close(fd);
	return -1;
}

int hub_copy_ring(struct hub *h, bool forget, int seen, size_t *ret_size)
{
	autoclose int copy = -1;
	size_t first = h->ring_size - h->ring_start;

	if (!h->ring) {
		errno = ENODATA;
		return -1;
	}
	if (seen >= 0 && seen == (int)(h->printed & INT32_MAX)) {
		errno = EALREADY;
		return -1;
	}
	if (first > h->ring_used)
		first = h->ring_used;
	copy = memfd_create("console", MFD_CLOEXEC);
	if (copy < 0 || fd_write_all(copy, &h->printed, sizeof(h->printed)) < 0 ||
	    fd_write_all(copy, h->ring + h->ring_start, first) < 0 ||
	    fd_write_all(copy, h->ring, h->ring_used - first) < 0 ||
	    lseek(copy, sizeof(h->printed), SEEK_SET) < 0)
		return -1;
	*ret_size = h->ring_used;
	if (forget)
		h->ring_used = h->ring_start = 0;
	return steal_fd(&copy);
}

void hub_close(struct hub *h)
{
	for (unsigned i = 0; i < HUB_CLIENTS; i++)
		if (h->clients[i].fd >= 0)
			drop_client(&h->clients[i]);
	close_fd(&h->log);
	if (h->ring)
		munmap(h->ring, h->ring_size);
	h->ring = NULL;
}
