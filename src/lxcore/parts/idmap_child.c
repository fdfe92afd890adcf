/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Something done in a user namespace of its own: how a user, or root on behalf of a container, makes
 * and removes files that belong to the ids that a container maps.
 */
#include "parts/idmap.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/subid.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* ---- maps ---- */

void idmaps_free(struct idmaps *maps)
{
	free(maps->v);
	*maps = (struct idmaps){0};
}

int idmaps_add(struct idmaps *maps, char kind, unsigned long ns, unsigned long host,
	       unsigned long range)
{
	struct idmap_entry *v = realloc(maps->v, (maps->n + 1) * sizeof(*v));

	if (!v)
		return -1;
	maps->v = v;
	v[maps->n++] = (struct idmap_entry){kind, ns, host, range};
	return 0;
}

/* The first id inside that nothing is mapped to. */
static unsigned long first_free(const struct idmaps *maps, char kind)
{
	unsigned long found = 0;

	for (size_t i = 0; i < maps->n; i++)
		if (maps->v[i].kind == kind && maps->v[i].ns + maps->v[i].range > found)
			found = maps->v[i].ns + maps->v[i].range;
	return found;
}

/* What a host's id is inside; false: it is not mapped. */
static bool to_inside(const struct idmaps *maps, char kind, unsigned long host, unsigned long *ret)
{
	for (size_t i = 0; i < maps->n; i++) {
		const struct idmap_entry *e = &maps->v[i];

		if (e->kind != kind || host < e->host || host - e->host >= e->range)
			continue;
		*ret = e->ns + (host - e->host);
		return true;
	}
	return false;
}

int idmaps_with_caller(const struct idmaps *maps, struct idmaps *ret, uid_t *ret_uid,
		       gid_t *ret_gid)
{
	const unsigned long own[] = {geteuid(), getegid()};
	unsigned long inside[2];

	*ret = (struct idmaps){0};
	for (size_t i = 0; i < maps->n; i++)
		if (idmaps_add(ret, maps->v[i].kind, maps->v[i].ns, maps->v[i].host,
			       maps->v[i].range) < 0)
			return -1;
	for (int i = 0; i < 2; i++) {
		char kind = "ug"[i];

		if (to_inside(maps, kind, own[i], &inside[i]))
			continue;
		inside[i] = first_free(maps, kind);
		if (idmaps_add(ret, kind, inside[i], own[i], 1) < 0)
			return -1;
	}
	*ret_uid = (uid_t)inside[0];
	*ret_gid = (gid_t)inside[1];
	return 0;
}

int idmaps_as_they_are(struct idmaps *ret, struct error *err)
{
	const unsigned long own[] = {geteuid(), getegid()};

	*ret = (struct idmaps){0};
	for (int i = 0; i < 2; i++) {
		autoranges struct id_ranges ranges = {0};
		char kind = "ug"[i];
		unsigned long inside;
		int failed = 0;

		if (subid_of(kind, geteuid(), &ranges, err) < 0)
			return -1;
		for (size_t k = 0; k < ranges.n && !failed; k++)
			failed = idmaps_add(ret, kind, ranges.v[k].first, ranges.v[k].first,
					    ranges.v[k].count) < 0;
		if (!failed && !to_inside(ret, kind, own[i], &inside))
			failed = idmaps_add(ret, kind, own[i], own[i], 1) < 0;
		if (failed)
			return error_set(err, ENOMEM, "cannot list your ids: out of memory");
	}
	return 0;
}

int idmaps_first(struct idmaps *ret, struct error *err)
{
	for (int i = 0; i < 2; i++) {
		autoranges struct id_ranges ranges = {0};
		char kind = "ug"[i];

		if (subid_of(kind, geteuid(), &ranges, err) < 0)
			return -1;
		if (!ranges.n) {
			error_set(err, ENOENT, "cannot find subordinate ids of this user in "
				  "/etc/sub%cid", kind);
			return error_mend(err, "as root: usermod --add-sub%cids 100000-165535 USER",
					  kind);
		}
		if (idmaps_add(ret, kind, 0, ranges.v[0].first, ranges.v[0].count) < 0)
			return error_set(err, ENOMEM, "cannot list your ids: out of memory");
	}
	return 0;
}

/* ---- the child ---- */

struct word {
	int result;
	struct error error;
};

static int enter(const struct idmap_call *call, int sock, struct error *err)
{
	char go;

	if (unshare(CLONE_NEWUSER | (call->mounts ? CLONE_NEWNS : 0)) < 0) {
		error_sys(err, "cannot make a user namespace");
		return errno == EPERM || errno == ENOSPC || errno == EUSERS ?
			error_mend(err, "as root: sysctl -w user.max_user_namespaces=10000      (or "
				   "what else keeps users from them here)") : -1;
	}
	if (fd_send(sock, "", 1, NULL, 0) < 0 || fd_receive(sock, &go, 1, NULL, NULL) != 1)
		return error_set(err, ECHILD, "cannot map its ids");
	/* Denied where no group but the own one is mapped; there are no others to be dropped then. */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return error_sys(err, "cannot leave the groups");
	if (setresgid(call->gid, call->gid, call->gid) < 0 ||
	    setresuid(call->uid, call->uid, call->uid) < 0)
		return error_sys(err, "cannot become user %u, group %u of the user namespace",
				 call->uid, call->gid);
	if (call->mounts && mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return error_sys(err, "cannot keep its mounts to itself");
	return 0;
}

static _Noreturn void be_child(const struct idmap_call *call, int sock)
{
	struct word w = {.result = -1};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (enter(call, sock, &w.error) == 0) {
		/* The change of ids took it away (prctl(2)). */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		w.result = call->act(call->data, &w.error);
	}
	fd_send(sock, &w, sizeof(w), NULL, 0);
	_exit(0);
}

/* The last word that it said; one that says nothing was killed. */
static int hear(int sock, struct error *err)
{
	struct word w;

	if (fd_receive(sock, &w, sizeof(w), NULL, NULL) != sizeof(w))
		return error_set(err, ECHILD, "the process in the user namespace was killed");
	if (w.result < 0 && err)
		*err = w.error;
	if (w.result < 0)
		errno = w.error.code;
	return w.result;
}

/* Its first word is one byte when it waits for the maps, else its last one. */
static int serve(const struct idmap_call *call, pid_t pid, int sock, struct error *err)
{
	struct word w;
	ssize_t n = fd_receive(sock, &w, sizeof(w), NULL, NULL);

	if (n == sizeof(w) && err)
		*err = w.error;
	if (n != 1)
		return n == sizeof(w) ? -1 : error_set(err, ECHILD, "the process was killed");
	if (idmap_write(call->maps, pid, err) < 0)
		return -1;
	return fd_send(sock, "", 1, NULL, 0) < 0 ? error_sys(err, "cannot map its ids")
						  : hear(sock, err);
}

int idmap_do(const struct idmap_call *call, struct error *err)
{
	int sock[2] = {-1, -1}, result, status;
	pid_t pid;

	if (fd_socketpair(sock) < 0)
		return error_sys(err, "cannot make a socket");
	pid = fork();
	if (pid == 0) {
		close(sock[0]);
		be_child(call, sock[1]);
	}
	close(sock[1]);
	result = pid < 0 ? error_sys(err, "cannot make a process")
			 : serve(call, pid, sock[0], err);
	/* Without its socket a child that waits for maps ends. */
	close(sock[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return result;
}
