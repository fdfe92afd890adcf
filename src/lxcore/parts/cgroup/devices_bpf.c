/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device rules on v2: a small BPF program, attached to the payload cgroup, that the kernel asks
 * whenever a device node is made or opened (BPF_PROG_TYPE_CGROUP_DEVICE; bpf(2), cgroup-v2.rst).
 *
 * The rules are walked from the newest to the oldest, and for each of the three accesses (read,
 * write, mknod) the first rule that names the device decides; an access that no rule decides falls
 * to the default.  Register 3 holds the accesses that were asked for and are not yet allowed.
 */
#include "parts/cgroup/room.h"

#include "base/auto.h"
#include "base/fd.h"

#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

_Static_assert((int)DEVICE_MKNOD == (int)BPF_DEVCG_ACC_MKNOD &&
	       (int)DEVICE_READ == (int)BPF_DEVCG_ACC_READ &&
	       (int)DEVICE_WRITE == (int)BPF_DEVCG_ACC_WRITE, "the rules' bits are the kernel's");

enum { ANSWER, CONTEXT, TYPE, ASKED, MAJOR, MINOR }; /* registers */
#define MAX_PER_RULE 10

static struct bpf_insn insn(unsigned code, unsigned to, unsigned from, int offset, int value)
{
	return (struct bpf_insn){.code = (uint8_t)code, .dst_reg = to & 0xf, .src_reg = from & 0xf,
				 .off = (int16_t)offset, .imm = value};
}

static size_t load_field(struct bpf_insn *p, unsigned to, size_t offset)
{
	p[0] = insn(BPF_LDX | BPF_W | BPF_MEM, to, CONTEXT, (int)offset, 0);
	return 1;
}

static size_t answer(struct bpf_insn *p, bool allow)
{
	p[0] = insn(BPF_ALU64 | BPF_MOV | BPF_K, ANSWER, 0, 0, allow);
	p[1] = insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return 2;
}

static size_t prologue(struct bpf_insn *p)
{
	size_t n = load_field(p, TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));

	/* access_type is (access << 16) | type */
	p[n++] = insn(BPF_ALU64 | BPF_MOV | BPF_X, ASKED, TYPE, 0, 0);
	p[n++] = insn(BPF_ALU64 | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
	p[n++] = insn(BPF_ALU64 | BPF_RSH | BPF_K, ASKED, 0, 0, 16);
	n += load_field(p + n, MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	n += load_field(p + n, MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	return n;
}

/*
 * A rule that does not fit is left by 'JA next', one that fits is entered by the jump: the kernel's
 * verifier walks the straight way first, and having seen there that all of the rest is safe for any
 * device it need not walk it again for each one that a rule names.  The other way round its work
 * doubles with every rule.
 */
static size_t one_rule(struct bpf_insn *p, const struct device_rule *r)
{
	const struct {
		bool wanted;
		unsigned reg;
		int value;
	} tests[] = {
		{r->type != 'a', TYPE, r->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR},
		{r->major >= 0, MAJOR, r->major},
		{r->minor >= 0, MINOR, r->minor},
	};
	size_t n = 0, leave[ARRAY_SIZE(tests)], n_leave = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		if (!tests[i].wanted)
			continue;
		p[n++] = insn(BPF_JMP | BPF_JEQ | BPF_K, tests[i].reg, 0, 1, tests[i].value);
		leave[n_leave++] = n++;
	}
	if (r->allow) {
		p[n++] = insn(BPF_ALU64 | BPF_AND | BPF_K, ASKED, 0, 0, (int)~r->access);
		p[n++] = insn(BPF_JMP | BPF_JNE | BPF_K, ASKED, 0, 2, 0);
	} else {
		p[n++] = insn(BPF_JMP | BPF_JSET | BPF_K, ASKED, 0, 1, (int)r->access);
		p[n++] = insn(BPF_JMP | BPF_JA, 0, 0, 2, 0);
	}
	n += answer(p + n, r->allow);
	for (size_t i = 0; i < n_leave; i++)
		p[leave[i]] = insn(BPF_JMP | BPF_JA, 0, 0, (int)(n - leave[i] - 1), 0);
	return n;
}

int device_program(const struct device_rules *r, struct bpf_insn **ret)
{
	struct bpf_insn *p = calloc(8 + r->n * MAX_PER_RULE, sizeof(*p));
	size_t n;

	if (!p)
		return -1;
	n = prologue(p);
	for (size_t i = r->n; i-- > 0;)
		n += one_rule(p + n, &r->v[i]);
	n += answer(p + n, r->allow_rest);
	*ret = p;
	return (int)n;
}

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(const struct bpf_insn *program, int n)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)program,
		.insn_cnt = (unsigned)n,
		.license = (uintptr_t)"LGPL",
		.prog_name = "lxc_devices",
	};

	return bpf(BPF_PROG_LOAD, &attr); /* its descriptor is close-on-exec */
}

/* The program that is attached to this directory itself; -1: none. */
static int attached_program(int dir)
{
	unsigned ids[64] = {0};
	union bpf_attr attr = {.query = {
		.target_fd = (unsigned)dir, .attach_type = BPF_CGROUP_DEVICE,
		.prog_ids = (uintptr_t)ids, .prog_cnt = ARRAY_SIZE(ids),
	}};

	if (bpf(BPF_PROG_QUERY, &attr) < 0 || attr.query.prog_cnt == 0)
		return -1;
	attr = (union bpf_attr){.prog_id = ids[0]};
	return bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

static int not_attached(const char *what, const char *dir, struct error *err)
{
	int why = errno;

	error_sys(err, "cannot %s the device program of \"%s\"", what, dir);
	if (why == EPERM || why == EACCES)
		error_mend(err, "lxc.cgroup2.devices.allow =      and the same for devices.deny, in "
				"its configuration (they clear the rules: this host, itself a "
				"container or without privilege, may not set any)");
	return -1;
}

int device_program_attach(const char *path, const struct device_rules *r, struct error *err)
{
	autofree struct bpf_insn *program = NULL;
	autoclose int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1, old = -1;
	int n = device_program(r, &program);
	union bpf_attr attr;

	if (n < 0)
		return error_set(err, ENOMEM, "cannot make the device program: out of memory");
	if (dir < 0)
		return error_sys(err, "cannot open the cgroup \"%s\"", path);
	fd = load(program, n);
	if (fd < 0)
		return not_attached("load", path, err);
	/* MULTI: programs of the cgroups above, such as systemd's of a unit, count as well. */
	attr = (union bpf_attr){.target_fd = (unsigned)dir, .attach_bpf_fd = (unsigned)fd,
				.attach_type = BPF_CGROUP_DEVICE, .attach_flags = BPF_F_ALLOW_MULTI};
	old = attached_program(dir);
	if (old >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (unsigned)old;
	}
	return bpf(BPF_PROG_ATTACH, &attr) < 0 ? not_attached("attach", path, err) : 0;
}
