/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-user-nic: who asks, and what is done.  See user-nic.h for the rules that it stands on. */
#include "user-nic.h"
#include "base/fd.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <syslog.h>

#define USERNET LXCORE_SYSCONFDIR "/lxc/lxc-usernet"
#define RUN_DIR LXCORE_RUNDIR "/lxc"
#define RECORD "nics"
#define LOCK_SECONDS 10

struct task {
	struct request request;
	uid_t uid;
	char uid_text[12], host[IFNAMSIZ], mac[20];
	struct caller who;
	int dir, ns;
	struct netlink nl;
	struct record record;
};

/* All that is refused, and all that fails, gets this answer and no other. */
static _Noreturn void refuse(const struct task *t, const char *reason)
{
	syslog(LOG_AUTHPRIV | LOG_NOTICE, "refused for uid %u: %s", t->uid, reason);
	fputs("lxc-user-nic: not permitted      (lxc-usernet(5) says what is)\n", stderr);
	_exit(1); /* here and below: what is allocated goes with the process */
}

static bool is_in_group(const char *name)
{
	const struct group *g = getgrnam(name);
	gid_t list[1024];
	int n = getgroups(ARRAY_SIZE(list), list);

	for (int i = 0; g && i < n; i++)
		if (list[i] == g->gr_gid)
			return true;
	return g && getgid() == g->gr_gid;
}

/* Nothing of the caller's that could change what is done: environment, descriptors, signals. */
static void shed(void)
{
	sigset_t all;
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < 3);
	if (close_range(3, ~0U, 0) < 0 || clearenv() != 0 ||
	    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) < 0 || chdir("/") < 0)
		abort();
	umask(022);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

/* The run directory, and its lock until we end; -1. */
static int lock_record(void)
{
	autoclose int dir = -1;
	struct stat st;
	int lock;

	if (mkdir(RUN_DIR, 0755) < 0 && errno != EEXIST)
		return -1;
	dir = open(RUN_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0 || st.st_uid != 0 || st.st_mode & 022)
		return -1;
	lock = openat(dir, RECORD ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	for (int i = 0; lock >= 0 && i < LOCK_SECONDS * 100; i++) {
		if (flock(lock, LOCK_EX | LOCK_NB) == 0)
			return steal_fd(&dir);
		usleep(10000);
	}
	return -1;
}

/* The lines whose device is still there; their words live as long as we do. */
static int read_record(struct task *t)
{
	struct record all = {0};
	struct buf text = BUF_INIT;

	if (file_read(t->dir, RECORD, &text) < 0)
		return errno == ENOENT ? 0 : -1;
	if (text.s && record_parse(&all, text.s) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++)
		if (veth_is_there(&t->nl, &all.v[i]) && record_add(&t->record, &all.v[i]) < 0)
			return -1;
	return 0;
}

static int write_record(const struct task *t)
{
	struct buf text = BUF_INIT;

	record_text(&t->record, &text);
	return text.failed ? -1 : file_replace(t->dir, RECORD, text.s, 0644);
}

/* A name on the host and an address that tell the device from all others. */
static void choose(struct task *t)
{
	uint8_t r[8];

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		refuse(t, "no random numbers");
	/* fe: a bridge takes the lowest address of its ports for its own. */
	snprintf(t->mac, sizeof(t->mac), "fe:%x:%x:%x:%x:%x", r[0], r[1], r[2], r[3], r[4]);
	if (t->uid > 0 && t->uid <= 65536)
		snprintf(t->host, IFNAMSIZ, "veth%u_%02x%02x", t->uid, r[5], r[6]);
	else
		snprintf(t->host, IFNAMSIZ, "veth%02x%02x%02x", r[5], r[6], r[7]);
}

static void create(struct task *t)
{
	struct entry e = t->request.nic;
	struct buf usernet = BUF_INIT;
	unsigned bridge;
	uint32_t mtu;

	buf_puts(&usernet, "");
	if (file_read(AT_FDCWD, USERNET, &usernet) < 0 || strlen(usernet.s) != usernet.len)
		refuse(t, USERNET " cannot be read");
	e.w[OWNER] = policy_account(usernet.s, &t->record, &t->who, &e);
	if (!e.w[OWNER])
		refuse(t, "no quota left, or none at all");
	bridge = bridge_find(&t->nl, e.w[BRIDGE], &mtu);
	if (!bridge && strcmp(e.w[BRIDGE], "none") != 0)
		refuse(t, "no such bridge");
	do
		choose(t);
	while (if_nametoindex(t->host));
	e.w[NIC] = t->host;
	e.w[MAC] = t->mac;
	if (record_add(&t->record, &e) < 0 || write_record(t) < 0)
		refuse(t, "the record cannot be written");
	if (veth_make(&t->nl, t->ns, &e, bridge, mtu,
		      t->request.nic.w[NIC] ? t->request.nic.w[NIC] : "eth%d") < 0) {
		t->record.n--;
		write_record(t);
		refuse(t, t->nl.reason);
	}
	veth_print(&t->nl, t->ns, &e);
}

static void delete(struct task *t)
{
	size_t i = 0;

	while (i < t->record.n && !entry_is(&t->record.v[i], &t->request.nic))
		i++;
	if (i == t->record.n || veth_delete(&t->nl, &t->record.v[i]) < 0)
		refuse(t, "that device was not made for that container");
	t->record.v[i] = t->record.v[--t->record.n];
	write_record(t);
}

int main(int argc, char **argv)
{
	struct task t = {.uid = getuid(), .who.is_in = is_in_group, .nl = NETLINK_CLOSED};
	const struct passwd *pw;

	shed();
	if (!request_parse(argc, argv, &t.request)) {
		fputs("Usage: lxc-user-nic create LXCPATH NAME PID veth BRIDGE [CONTAINER-NIC]\n"
		      "       lxc-user-nic delete LXCPATH NAME /proc/PID/ns/net veth BRIDGE HOST-NIC\n",
		      stderr);
		return 1;
	}
	/* From here on the caller, who has none of these ids, cannot send it signals. */
	if (geteuid() != 0 || setresuid(0, 0, 0) < 0)
		refuse(&t, "it is not installed setuid root");
	snprintf(t.uid_text, sizeof(t.uid_text), "%u", t.uid);
	t.request.nic.w[UID] = t.uid_text;
	pw = getpwuid(t.uid);
	if (!pw || strcmp(t.request.nic.w[TYPE], "veth") != 0)
		refuse(&t, "no such user or type");
	t.who.user = pw->pw_name;
	if (!namespace_is_hosts())
		refuse(&t, "called from a network namespace that is not the host's");
	t.ns = namespace_open(t.request.pid, t.uid);
	if (t.ns < 0)
		refuse(&t, "the network namespace is not the caller's");
	t.dir = lock_record();
	if (t.dir < 0 || netlink_open(&t.nl, NULL) < 0 || read_record(&t) < 0)
		refuse(&t, "the record of devices cannot be locked and read");
	if (t.request.create)
		create(&t);
	else
		delete(&t);
	_exit(fflush(stdout) == 0 ? 0 : 1);
}
