/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a policy to the program that the kernel runs.  libseccomp does it; it is loaded in a child that
 * ends afterwards, so that what stays in memory for the container's whole life knows nothing of it.
 */
#include "parts/seccomp_policy.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/mman.h>

#define LIBRARY "libseccomp.so.2"
#define COMPILE_LIMIT_MS 30000

struct libseccomp {
	void *handle;
	__typeof__(seccomp_init) *init;
	__typeof__(seccomp_arch_add) *arch_add;
	__typeof__(seccomp_arch_remove) *arch_remove;
	__typeof__(seccomp_arch_native) *arch_native;
	__typeof__(seccomp_merge) *merge;
	__typeof__(seccomp_attr_set) *attr_set;
	__typeof__(seccomp_rule_add_array) *rule_add;
	__typeof__(seccomp_rule_add_exact_array) *rule_add_exact;
	__typeof__(seccomp_syscall_resolve_name) *resolve;
	__typeof__(seccomp_syscall_resolve_name_arch) *resolve_for;
	__typeof__(seccomp_export_bpf) *export_bpf;
};

struct report {
	struct error error; /* code 0: it went well */
	char library[sizeof(((struct policy_program *)0)->library)];
};

/* ---- in the child ---- */

static int load(struct libseccomp *lib, char *ret_path, size_t room, struct error *err)
{
	const struct {
		const char *name;
		void *into;
	} symbols[] = {
		{"seccomp_init", &lib->init},
		{"seccomp_arch_add", &lib->arch_add},
		{"seccomp_arch_remove", &lib->arch_remove},
		{"seccomp_arch_native", &lib->arch_native},
		{"seccomp_merge", &lib->merge},
		{"seccomp_attr_set", &lib->attr_set},
		{"seccomp_rule_add_array", &lib->rule_add},
		{"seccomp_rule_add_exact_array", &lib->rule_add_exact},
		{"seccomp_syscall_resolve_name", &lib->resolve},
		{"seccomp_syscall_resolve_name_arch", &lib->resolve_for},
		{"seccomp_export_bpf", &lib->export_bpf},
	};
	struct link_map *map;

	lib->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!lib->handle) {
		error_set(err, ENOENT, "cannot compile the policy: %s", dlerror());
		return error_mend(err, "apt-get install libseccomp2");
	}
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *symbol = dlsym(lib->handle, symbols[i].name);

		if (!symbol)
			return error_set(err, ENOSYS, "cannot compile the policy: " LIBRARY " lacks %s",
					 symbols[i].name);
		memcpy(symbols[i].into, &symbol, sizeof(symbol));
	}
	*ret_path = '\0';
	if (dlinfo(lib->handle, RTLD_DI_LINKMAP, &map) == 0 && strlen(map->l_name) < room)
		strcpy(ret_path, map->l_name);
	return 0;
}

static unsigned to_arguments(const struct policy_rule *rule, struct scmp_arg_cmp ret[6])
{
	for (unsigned i = 0; i < rule->n_args; i++) {
		const struct policy_arg *a = &rule->args[i];
		bool masked = a->op == SCMP_CMP_MASKED_EQ;

		ret[i] = (struct scmp_arg_cmp){a->index, (enum scmp_compare)a->op,
					       masked ? a->mask : a->value, masked ? a->value : 0};
	}
	return rule->n_args;
}

static int add_rule(const struct libseccomp *lib, scmp_filter_ctx ctx, uint32_t arch,
		    const struct policy_rule *rule)
{
	/* Rules speak in this machine's own numbers, whichever architecture they are for. */
	int number = rule->name ? lib->resolve(rule->name) : rule->number;
	int there = rule->name ? lib->resolve_for(arch, rule->name) : rule->number;
	struct scmp_arg_cmp args[6];
	unsigned n = to_arguments(rule, args);
	int result;

	if (number == __NR_SCMP_ERROR) {
		log_write(LOG_WARN, "seccomp", "line %u: no system call \"%s\" is known; the line is "
			  "without effect", rule->line, rule->name);
		return 0;
	}
	if (there >= 0)
		return lib->rule_add_exact(ctx, rule->action, number, n, args);
	/* Not a call of its own here: it may be part of another one (socketcall), or not be at all. */
	result = lib->rule_add(ctx, rule->action, number, n, args);
	return result == -EDOM || result == -EINVAL ? 0 : result;
}

/* A filter for one architecture; NULL with the error filled. */
static scmp_filter_ctx filter_for(const struct libseccomp *lib, const struct policy *p,
				  uint32_t arch, const char *file, struct error *err)
{
	scmp_filter_ctx ctx = lib->init(p->action);
	int result = ctx ? 0 : -ENOMEM;

	if (result == 0 && arch != lib->arch_native()) {
		result = lib->arch_add(ctx, arch);
		if (result == 0)
			result = lib->arch_remove(ctx, lib->arch_native());
	}
	/* no_new_privs is ours to set; and system call -1 is what a tracer skips a call with. */
	if (result == 0)
		result = lib->attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
	if (result == 0)
		lib->attr_set(ctx, SCMP_FLTATR_API_TSKIP, 1);
	if (result < 0) {
		error_set(err, -result, "cannot compile the policy: %s", strerror(-result));
		return NULL;
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct policy_rule *rule = &p->v[i];

		/* A rule that says what holds anyway is none. */
		if ((rule->arch && rule->arch != arch) || rule->action == p->action)
			continue;
		result = add_rule(lib, ctx, arch, rule);
		if (result < 0) {
			error_set(err, -result, "%s:%u: this rule cannot be combined with the others: "
				  "%s", file, rule->line, strerror(-result));
			return NULL;
		}
	}
	return ctx;
}

static int compile(const struct policy *p, const char *file, int into, struct report *report)
{
	struct libseccomp lib;
	scmp_filter_ctx all = NULL;
	struct error *err = &report->error;
	int result;

	if (load(&lib, report->library, sizeof(report->library), err) < 0)
		return -1;
	for (const uint32_t *arch = policy_host_arches; *arch; arch++) {
		scmp_filter_ctx one;

		if (p->native_only && all)
			break;
		one = filter_for(&lib, p, *arch, file, err);
		if (!one)
			return -1;
		result = all ? lib.merge(all, one) : 0;
		if (result < 0)
			return error_set(err, -result, "cannot compile the policy: %s",
					 strerror(-result));
		all = all ? all : one;
	}
	result = lib.export_bpf(all, into);
	return result < 0 ? error_set(err, -result, "cannot compile the policy: %s",
				      strerror(-result)) : 0;
}

/* ---- in the parent ---- */

static int wait_for_child(pid_t pid, int from, struct report *report, struct error *err)
{
	autoclose int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int ready = fd_wait(from, COMPILE_LIMIT_MS);
	ssize_t n = ready == 1 ? read(from, report, sizeof(*report)) : 0;

	if (pidfd < 0)
		return error_sys(err, "cannot compile the policy");
	if (ready != 1)
		proc_signal(pidfd, SIGKILL);
	proc_reap(pidfd);
	if (n != sizeof(*report))
		return error_set(err, ETIMEDOUT, "cannot compile the policy: its compiler died or took "
				 "more than %d seconds", COMPILE_LIMIT_MS / 1000);
	if (!report->error.code)
		return 0;
	if (err)
		*err = report->error;
	return -1;
}

int policy_compile(const struct policy *p, const char *file, struct policy_program *ret,
		   struct error *err)
{
	autoclose int code = memfd_create("seccomp", MFD_CLOEXEC);
	int channel[2];
	struct report report = {0};
	pid_t pid;
	int result;

	*ret = (struct policy_program){0};
	if (code < 0 || pipe2(channel, O_CLOEXEC) < 0)
		return error_sys(err, "cannot compile the policy");
	pid = fork();
	if (pid == 0) {
		compile(p, file, code, &report);
		_exit(write(channel[1], &report, sizeof(report)) != sizeof(report));
	}
	close(channel[1]);
	result = pid < 0 ? error_sys(err, "cannot compile the policy") :
			   wait_for_child(pid, channel[0], &report, err);
	close(channel[0]);
	if (result < 0)
		return -1;
	if (lseek(code, 0, SEEK_SET) < 0 || fd_read_all(code, &ret->code, 1 << 20) < 0)
		return error_sys(err, "cannot compile the policy");
	memcpy(ret->library, report.library, sizeof(ret->library));
	if (ret->code.len / sizeof(struct sock_filter) <= BPF_MAXINSNS)
		return 0;
	buf_free(&ret->code);
	return error_set(err, E2BIG, "%s: the policy is too long for the kernel, which takes %d "
			 "instructions", file, BPF_MAXINSNS);
}
