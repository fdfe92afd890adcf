/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * File descriptors: whole files, sockets that carry descriptors, and small conveniences.
 * Every descriptor made here is close-on-exec.  A 'dir' argument is a directory descriptor or
 * AT_FDCWD; paths of this room are ours (run directory, /proc, /sys), never a foreign root's: for
 * those see path.h.
 */
#ifndef LXCORE_BASE_FD_H
#define LXCORE_BASE_FD_H

#include "buf.h"
#include "error.h"

#include <fcntl.h>
#include <sys/types.h>

#define FD_MAX_PASSED 64 /* most descriptors in one message */

/* Read all of a descriptor, or of a file; 0, or -1 with errno.  At most 'limit' bytes (EFBIG). */
int fd_read_all(int fd, struct buf *into, size_t limit);
int file_read(int dir, const char *path, struct buf *into);
/* Write all, in one write(2) as the files of /proc and /sys need it; 0, or -1 with errno. */
int fd_write_all(int fd, const void *bytes, size_t n);
int file_write(int dir, const char *path, const char *text);
/* Make or replace a small file so that readers see the old or the new text, never half of one. */
int file_replace(int dir, const char *path, const char *text, mode_t mode);

/* A close-on-exec pair of connected SOCK_SEQPACKET sockets. */
int fd_socketpair(int ret_pair[2]);
/* One message with descriptors; returns the bytes sent or received, 0 at end, -1 with errno. */
ssize_t fd_send(int sock, const void *bytes, size_t n, const int *fds, size_t n_fds);
ssize_t fd_receive(int sock, void *bytes, size_t n, int *ret_fds, size_t *in_out_n_fds);
/* Wait until fd is readable (or hung up); 1, 0 after timeout_ms (-1: no limit), -1 with errno. */
int fd_wait(int fd, int timeout_ms);
/* A unix socket address may be 107 bytes long only; these go through the directory's descriptor. */
int fd_listen_at(int dir, const char *name, int type);
int fd_connect_at(int dir, const char *name, int type);

/* Milliseconds and microseconds of a clock that only goes forward. */
long long clock_ms(void);
long long clock_us(void);

#endif
