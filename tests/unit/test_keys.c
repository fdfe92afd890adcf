/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys of all parts together: each key that users of LXC know is taken or refused by name, and
 * the tables are whole: no name twice, a summary for each, presets that their own types accept.
 */
#include "unit.h"
#include "config/conf.h"
#include "life/boot.h"

#include <string.h>

/* Every key of lxc.container.conf(5), with a value that it takes. */
static const char *const settings[] = {
	"lxc.apparmor.allow_incomplete = 0",
	"lxc.apparmor.allow_nesting = 1",
	"lxc.apparmor.profile = generated",
	"lxc.apparmor.raw = mount,",
	"lxc.arch = amd64",
	"lxc.autodev = 1",
	"lxc.autodev.tmpfs.size = 500000",
	"lxc.cap.drop = sys_time sys_module",
	"lxc.cap.keep = none",
	"lxc.cgroup.devices.allow = c 1:3 rwm",
	"lxc.cgroup.dir = lxt",
	"lxc.cgroup.dir.container = lxt",
	"lxc.cgroup.dir.container.inner = inner",
	"lxc.cgroup.dir.monitor = lxt",
	"lxc.cgroup.dir.monitor.pivot = lxt",
	"lxc.cgroup.relative = 1",
	"lxc.cgroup2.memory.max = 1G",
	"lxc.console.buffer.size = auto",
	"lxc.console.logfile = /dev/null",
	"lxc.console.path = none",
	"lxc.console.rotate = 1",
	"lxc.console.size = 5KB",
	"lxc.environment = A=B",
	"lxc.environment.hooks = A=B",
	"lxc.environment.runtime = A=B",
	"lxc.ephemeral = 1",
	"lxc.execute.cmd = /bin/true",
	"lxc.group = one two",
	"lxc.hook.autodev = /bin/true",
	"lxc.hook.clone = /bin/true",
	"lxc.hook.destroy = /bin/true",
	"lxc.hook.mount = /bin/true",
	"lxc.hook.post-stop = /bin/true",
	"lxc.hook.pre-mount = /bin/true",
	"lxc.hook.pre-start = /bin/true",
	"lxc.hook.start = /bin/true",
	"lxc.hook.start-host = /bin/true",
	"lxc.hook.stop = /bin/true",
	"lxc.hook.version = 1",
	"lxc.idmap = u 0 100000 65536",
	"lxc.include = /nowhere.d/",
	"lxc.init.cmd = /sbin/init",
	"lxc.init.cwd = /",
	"lxc.init.gid = 1",
	"lxc.init.groups = 1,2",
	"lxc.init.uid = 1",
	"lxc.keyring.session = 0",
	"lxc.limit.cpu = 1.5",
	"lxc.limit.cpu.weight = 200",
	"lxc.limit.cpus = 0-1,4",
	"lxc.limit.disk = 10G",
	"lxc.limit.io.read = /dev/sda:10M",
	"lxc.limit.io.write = 8:0:1048576",
	"lxc.limit.memory = 512M",
	"lxc.limit.memory.pool = 4G",
	"lxc.limit.memory.soft = 12.5%",
	"lxc.limit.memory.weight = 2",
	"lxc.limit.pids = 100",
	"lxc.limit.swap = 0",
	"lxc.log.file = /dev/null",
	"lxc.log.level = DEBUG",
	"lxc.log.syslog = daemon",
	"lxc.monitor.signal.pdeath = SIGKILL",
	"lxc.monitor.unshare = 0",
	"lxc.mount.auto = proc:mixed sys:mixed cgroup:mixed",
	"lxc.mount.entry = proc proc proc nodev 0 0",
	"lxc.mount.fstab = /dev/null",
	"lxc.namespace.clone = user net",
	"lxc.namespace.keep = user net",
	"lxc.namespace.share.net = 1",
	"lxc.net.0.flags = up",
	"lxc.net.0.hwaddr = 00:16:3e:00:00:01",
	"lxc.net.0.ipv4.address = 10.0.3.2/24",
	"lxc.net.0.ipv4.gateway = auto",
	"lxc.net.0.ipv6.address = fd00::2/64",
	"lxc.net.0.ipv6.gateway = auto",
	"lxc.net.0.ipvlan.isolation = bridge",
	"lxc.net.0.ipvlan.mode = l3",
	"lxc.net.0.l2proxy = 0",
	"lxc.net.0.link = lxcbr0",
	"lxc.net.0.macvlan.mode = bridge",
	"lxc.net.0.mtu = 1500",
	"lxc.net.0.name = eth0",
	"lxc.net.0.script.down = /bin/true",
	"lxc.net.0.script.up = /bin/true",
	"lxc.net.0.type = veth",
	"lxc.net.0.veth.ipv4.route = 10.0.4.0/24",
	"lxc.net.0.veth.ipv6.route = fd01::/64",
	"lxc.net.0.veth.mode = bridge",
	"lxc.net.0.veth.n_rxqueues = 1",
	"lxc.net.0.veth.n_txqueues = 1",
	"lxc.net.0.veth.pair = vethlxt",
	"lxc.net.0.veth.vlan.id = 1",
	"lxc.net.0.veth.vlan.tagged.id = 2",
	"lxc.net.0.vlan.id = 1",
	"lxc.no_new_privs = 1",
	"lxc.prlimit.nofile = 1024:2048",
	"lxc.proc.oom_score_adj = 100",
	"lxc.pty.max = 1024",
	"lxc.rootfs.managed = 0",
	"lxc.rootfs.mount = /mnt",
	"lxc.rootfs.options = ro",
	"lxc.rootfs.path = dir:/srv/web",
	"lxc.sched.core = 1",
	"lxc.seccomp.allow_nesting = 1",
	"lxc.seccomp.notify.cookie = x",
	"lxc.seccomp.notify.proxy = unix:/run/x",
	"lxc.seccomp.profile = /dev/null",
	"lxc.selinux.context = system_u:system_r:lxc_t:s0",
	"lxc.selinux.context.keyring = system_u:system_r:lxc_t:s0",
	"lxc.signal.halt = SIGRTMIN+3",
	"lxc.signal.reboot = SIGINT",
	"lxc.signal.stop = SIGKILL",
	"lxc.start.auto = 1",
	"lxc.start.delay = 5",
	"lxc.start.order = -1",
	"lxc.start.restart = on-failure:5",
	"lxc.sysctl.net.ipv4.ip_forward = 1",
	"lxc.time.offset.boot = 7h",
	"lxc.time.offset.monotonic = 5s",
	"lxc.tty.dir = lxc",
	"lxc.tty.max = 4",
	"lxc.uts.name = web",
};

/* Values that no part may take. */
static const char *const refusals[] = {
	"lxc.arch = vax",
	"lxc.autodev = 2",
	"lxc.cap.drop = no_such_capability",
	"lxc.cgroup.dir = ../escape",
	"lxc.cgroup.dir = /absolute",
	"lxc.cgroup2 = x",
	"lxc.hook.version = 2",
	"lxc.hook = x",
	"lxc.idmap = b 0 100000 65536",
	"lxc.idmap = u 0 100000",
	"lxc.init.groups = ,",
	"lxc.init.uid = root",
	"lxc.limit.cpu = 0",
	"lxc.limit.cpu = -1",
	"lxc.limit.cpu = 1.2345",
	"lxc.limit.cpu.weight = 0",
	"lxc.limit.cpu.weight = 10001",
	"lxc.limit.cpus = 1-0",
	"lxc.limit.cpus = 0,",
	"lxc.limit.disk = auto",
	"lxc.limit.disk = 50%",
	"lxc.limit.io.read = /dev/sda",
	"lxc.limit.io.read = /dev/sda:0",
	"lxc.limit.io.read = /dev/sda:50%",
	"lxc.limit.io.write = sda:1M",
	"lxc.limit.memory = 0",
	"lxc.limit.memory = 101%",
	"lxc.limit.memory = 1.5",
	"lxc.limit.memory = 9999999999999999999",
	"lxc.limit.memory = 1X",
	"lxc.limit.memory.pool = 0",
	"lxc.limit.memory.weight = 0",
	"lxc.limit.nothing = 1",
	"lxc.limit.pids = 1K",
	"lxc.log.level = LOUD",
	"lxc.start.restart = maybe",
	"lxc.start.restart = on-failure:0",
	"lxc.mount.auto = proc:nonsense",
	"lxc.mount.auto = shmounts:",
	"lxc.namespace.keep = nope",
	"lxc.namespace.share.nope = x",
	"lxc.net = x",
	"lxc.net.0.nope = x",
	"lxc.net.0.type = nope",
	"lxc.net.x.type = veth",
	"lxc.net.0.ipv4.address = 10.0.3.2/33",
	"lxc.net.0.veth.vlan.id = 4095",
	"lxc.prlimit.nofile = lots",
	"lxc.rootfs.managed = yes",
	"lxc.signal.halt = HUP",
	"lxc.sysctl = x",
	"lxc.time.offset.boot = 7",
	"lxc.uts.name = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

static int load_line(const struct boot_sections *sections, const char *line, struct error *err)
{
	struct conf *c = conf_new(sections->v);
	autofree char *text = NULL;
	int result;

	CU_ASSERT_FATAL(c != NULL);
	/* Keys of one interface come after its type. */
	text = str_printf("%s%s", str_starts(line, "lxc.net.0.veth.") ? "lxc.net.0.type = veth\n" : "",
			  line);
	result = conf_load_text(c, text, "web", err);
	conf_free(c);
	return result;
}

static void test_settings(void)
{
	struct boot_sections sections;

	boot_list_sections(&sections);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		struct error err = {0};

		if (load_line(&sections, settings[i], &err) == 0)
			continue;
		if (err.code == ENOTSUP)
			HAS(err.text, "not supported");
		else
			SAME(err.text, "");
	}
}

/* Setting a key to nothing is always possible, and takes nothing with it. */
static void test_clearing(void)
{
	struct boot_sections sections;

	boot_list_sections(&sections);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		autofree char *line = strndup(settings[i], strcspn(settings[i], "=") + 1);
		struct error err = {0};

		load_line(&sections, line, &err);
		SAME(err.text, "");
	}
}

static void test_refusals(void)
{
	struct boot_sections sections;

	boot_list_sections(&sections);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct error err = {0};
		int result = load_line(&sections, refusals[i], &err);

		if (result == 0)
			SAME(refusals[i], "refused");
		CU_ASSERT(err.code != 0);
		CU_ASSERT(str_starts(err.text, "web:1: ") || str_starts(err.text, "web:2: "));
	}
}

static void test_tables(void)
{
	struct boot_sections sections;
	autostrv struct strv seen = {0};
	const struct conf_key *key;
	size_t state = 0;

	boot_list_sections(&sections);
	while ((key = conf_next_key(sections.v, &state))) {
		CU_ASSERT(str_starts(key->name, "lxc."));
		if (!key->type || !key->summary || !*key->summary || strv_has(&seen, key->name))
			SAME(key->name, "once, with a type and a summary");
		CU_ASSERT(key->syntax || (key->type && key->type->syntax));
		strv_add(&seen, key->name);
	}
	CU_ASSERT(seen.n > 80);
	for (size_t i = 0; sections.v[i]; i++)
		CU_ASSERT(sections.v[i]->name != NULL && sections.v[i]->size > 0);
}

void suite_keys(void)
{
	static const struct unit_test tests[] = {
		{"every known key is taken or refused by name", test_settings},
		{"every key can be set to nothing", test_clearing},
		{"bad values are refused with their line", test_refusals},
		{"the tables are whole", test_tables},
		{NULL, NULL},
	};

	unit_suite("keys", tests);
}
