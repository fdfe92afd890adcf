/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The grammar of system-call policies.  The first line is the version.  Version 1: 'allowlist', then
 * a number a line.  Version 2: 'allowlist' or 'denylist' with the action for what no line names; then
 *
 *     [ARCH]                                     for what follows; 'all' is what one begins with
 *     NAME [ACTION] [INDEX,VALUE,OP[,MASK]]...   at most six conditions, all of which must hold
 *     reject_force_umount                        umount2 with MNT_FORCE fails with EACCES
 */
#include "parts/seccomp_policy.h"
#include "base/auto.h"

#include <ctype.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#ifndef SCMP_ARCH_LOONGARCH64
#define SCMP_ARCH_LOONGARCH64 0xc0000102U
#endif
#ifndef SCMP_ARCH_RISCV64
#define SCMP_ARCH_RISCV64 0xc00000f3U
#endif

/* Where one is in the text, for messages. */
struct place {
	const char *file;
	unsigned line;
};

static int refuse(const struct place *at, struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(const struct place *at, struct error *err, const char *format, ...)
{
	char words[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(words, sizeof(words), format, ap);
	va_end(ap);
	return error_set(err, EINVAL, "%s:%u: %s", at->file, at->line, words);
}

/* ---- architectures ---- */

const uint32_t policy_host_arches[] = {
#if defined(__x86_64__)
	SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32,
#elif defined(__i386__)
	SCMP_ARCH_X86,
#elif defined(__aarch64__)
	SCMP_ARCH_AARCH64, SCMP_ARCH_ARM,
#elif defined(__arm__)
	SCMP_ARCH_ARM,
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	SCMP_ARCH_PPC64LE,
#elif defined(__powerpc64__)
	SCMP_ARCH_PPC64, SCMP_ARCH_PPC,
#elif defined(__powerpc__)
	SCMP_ARCH_PPC,
#elif defined(__s390x__)
	SCMP_ARCH_S390X, SCMP_ARCH_S390,
#elif defined(__loongarch64)
	SCMP_ARCH_LOONGARCH64,
#elif defined(__riscv) && __riscv_xlen == 64
	SCMP_ARCH_RISCV64,
#elif defined(__mips64) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64N32, SCMP_ARCH_MIPSEL,
#elif defined(__mips64)
	SCMP_ARCH_MIPS64, SCMP_ARCH_MIPS64N32, SCMP_ARCH_MIPS,
#elif defined(__mips__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	SCMP_ARCH_MIPSEL,
#elif defined(__mips__)
	SCMP_ARCH_MIPS,
#endif
	0,
};

static const struct {
	const char *name;
	uint32_t arch;
} arches[] = {
	{"all", 0},
	{"x86", SCMP_ARCH_X86}, {"x86_64", SCMP_ARCH_X86_64}, {"x32", SCMP_ARCH_X32},
	{"arm", SCMP_ARCH_ARM}, {"arm64", SCMP_ARCH_AARCH64}, {"loongarch64", SCMP_ARCH_LOONGARCH64},
	{"ppc", SCMP_ARCH_PPC}, {"ppc64", SCMP_ARCH_PPC64}, {"ppc64le", SCMP_ARCH_PPC64LE},
	{"mips", SCMP_ARCH_MIPS}, {"mips64", SCMP_ARCH_MIPS64}, {"mips64n32", SCMP_ARCH_MIPS64N32},
	{"mipsel", SCMP_ARCH_MIPSEL}, {"mipsel64", SCMP_ARCH_MIPSEL64},
	{"mipsel64n32", SCMP_ARCH_MIPSEL64N32}, {"riscv64", SCMP_ARCH_RISCV64},
	{"s390", SCMP_ARCH_S390}, {"s390x", SCMP_ARCH_S390X},
};

/* "[x86_64]" or "[X86_64]", not mixed. */
static bool parse_section(const char *line, uint32_t *ret)
{
	char name[16] = "";
	size_t n = strcspn(line + 1, "]");
	bool upper = false, lower = false;

	if (!line[n + 1] || n >= sizeof(name))
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = line[i + 1];

		upper |= c >= 'A' && c <= 'Z';
		lower |= c >= 'a' && c <= 'z';
		name[i] = (char)tolower((unsigned char)c);
	}
	for (size_t i = 0; i < ARRAY_SIZE(arches) && !(upper && lower); i++)
		if (strcmp(arches[i].name, name) == 0) {
			*ret = arches[i].arch;
			return true;
		}
	return false;
}

static bool is_of_this_machine(uint32_t arch)
{
	for (const uint32_t *host = policy_host_arches; *host; host++)
		if (*host == arch)
			return true;
	return arch == 0;
}

/* ---- words ---- */

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t\r");
}

/* Take one word; false when none is left (the end, a comment, a condition). */
static bool take_word(const char **at, char word[64])
{
	size_t n;

	*at = skip_blanks(*at);
	n = strcspn(*at, " \t\r[#");
	if (!n || n >= 64)
		return false;
	memcpy(word, *at, n);
	word[n] = '\0';
	*at += n;
	return true;
}

static bool is_end(const char *at)
{
	at = skip_blanks(at);
	return !*at || *at == '#';
}

static int take_errno(const struct place *where, const char **at, uint32_t *ret, struct error *err)
{
	char word[64];
	unsigned long long n;

	if (!take_word(at, word) || !str_to_u64(word, &n) || n > 4095)
		return refuse(where, err, "errno needs a number between 0 and 4095");
	*ret = SECCOMP_RET_ERRNO | (uint32_t)n;
	return 0;
}

/* An action, if there is one: 1, 0 when not, -1. */
static int take_action(const struct place *where, const char **at, uint32_t *ret,
		       struct error *err)
{
	static const struct {
		const char *name;
		uint32_t action;
	} actions[] = {
		{"kill", SECCOMP_RET_KILL_THREAD}, {"trap", SECCOMP_RET_TRAP},
		{"allow", SECCOMP_RET_ALLOW}, {"notify", SECCOMP_RET_USER_NOTIF},
	};
	char word[64];

	if (!take_word(at, word))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (strcmp(actions[i].name, word) == 0) {
			*ret = actions[i].action;
			return 1;
		}
	if (strcmp(word, "errno") == 0)
		return take_errno(where, at, ret, err) < 0 ? -1 : 1;
	if (strcmp(word, "trace") == 0)
		return refuse(where, err, "action \"%s\" is not supported yet", word);
	return refuse(where, err, "\"%s\" is no action; there are allow, kill, trap, notify "
		      "and errno N",
		      word);
}

/* ---- conditions ---- */

static bool parse_operator(const char *word, int *ret)
{
	static const struct {
		const char *name, *sign;
		int op;
	} operators[] = {
		{"SCMP_CMP_NE", "!=", SCMP_CMP_NE}, {"SCMP_CMP_LT", "<", SCMP_CMP_LT},
		{"SCMP_CMP_LE", "<=", SCMP_CMP_LE}, {"SCMP_CMP_EQ", "==", SCMP_CMP_EQ},
		{"SCMP_CMP_GE", ">=", SCMP_CMP_GE}, {"SCMP_CMP_GT", ">", SCMP_CMP_GT},
		{"SCMP_CMP_MASKED_EQ", "&=", SCMP_CMP_MASKED_EQ},
	};

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (strcmp(operators[i].name, word) == 0 || strcmp(operators[i].sign, word) == 0) {
			*ret = operators[i].op;
			return true;
		}
	return false;
}

/* Decimal, 0x hexadecimal or 0 octal. */
static bool parse_number(const char *word, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(word, &end, 0);
	return isdigit((unsigned char)*word) && !errno && !*end;
}

static bool parse_condition(const char *text, struct policy_arg *ret)
{
	autostrv struct strv words = {0};
	uint64_t index;

	if (strv_split(&words, text, ", \t") < 0 || words.n < 3 || words.n > 4)
		return false;
	*ret = (struct policy_arg){0};
	if (!parse_number(words.v[0], &index) || index > 5 || !parse_number(words.v[1], &ret->value) ||
	    !parse_operator(words.v[2], &ret->op))
		return false;
	ret->index = (unsigned)index;
	if (ret->op == SCMP_CMP_MASKED_EQ && words.n != 4)
		return false;
	return words.n < 4 || parse_number(words.v[3], &ret->mask);
}

static int take_conditions(const struct place *where, const char **at, struct policy_rule *rule,
			   struct error *err)
{
	while (*(*at = skip_blanks(*at)) == '[') {
		size_t n = strcspn(*at, "]");
		autofree char *inner = strndup(*at + 1, n ? n - 1 : 0);

		if (!inner || !(*at)[n] || rule->n_args == ARRAY_SIZE(rule->args))
			return refuse(where, err, "more than six conditions, or one without ']'");
		if (!parse_condition(inner, &rule->args[rule->n_args]))
			return refuse(where, err, "\"[%s]\" is no condition; one is written "
				      "[INDEX,VALUE,OP] or [INDEX,VALUE,&=,MASK]", inner);
		rule->n_args++;
		*at += n + 1;
	}
	return 0;
}

/* ---- lines ---- */

static int add_rule(struct policy *p, const struct policy_rule *rule, struct error *err)
{
	struct policy_rule *v = realloc(p->v, (p->n + 1) * sizeof(*v));

	if (!v)
		return error_set(err, ENOMEM, "out of memory");
	p->v = v;
	v[p->n++] = *rule;
	return 0;
}

static int add_reject_force_umount(struct policy *p, const struct place *where, struct error *err)
{
	struct policy_rule rule = {
		.name = strdup("umount2"), .action = SECCOMP_RET_ERRNO | EACCES, .n_args = 1,
		.args = {{1, SCMP_CMP_MASKED_EQ, MNT_FORCE, MNT_FORCE}}, .line = where->line,
	};

	return add_rule(p, &rule, err);
}

static int parse_rule(struct policy *p, const struct place *where, const char *line, uint32_t arch,
		      uint32_t usual, struct error *err)
{
	struct policy_rule rule = {.arch = arch, .action = usual, .line = where->line};
	char name[64];

	if (!take_word(&line, name))
		return refuse(where, err, "\"%s\" is no system call", line);
	/* What follows it on its line has always been ignored: common.seccomp writes a comment. */
	if (strcmp(name, "reject_force_umount") == 0)
		return add_reject_force_umount(p, where, err);
	if (take_action(where, &line, &rule.action, err) < 0 ||
	    take_conditions(where, &line, &rule, err) < 0)
		return -1;
	if (!is_end(line))
		return refuse(where, err, "\"%s\" is too much behind system call %s", line, name);
	if (!is_of_this_machine(arch))
		return 0;
	rule.name = strdup(name);
	return rule.name ? add_rule(p, &rule, err) : error_set(err, ENOMEM, "out of memory");
}

/* "allowlist" or "denylist", in their old names as well, with what happens to all other calls. */
static int parse_kind(struct policy *p, const struct place *where, const char *line,
		      uint32_t *ret_usual, struct error *err)
{
	char word[64];
	bool allows;

	if (!take_word(&line, word))
		return refuse(where, err, "the second line says neither allowlist nor denylist");
	allows = str_starts(word, "allowlist") || str_starts(word, "whitelist");
	if (!allows && !str_starts(word, "denylist") && !str_starts(word, "blacklist"))
		return refuse(where, err, "\"%s\" is neither allowlist nor denylist", word);
	p->action = allows ? SECCOMP_RET_KILL_THREAD : SECCOMP_RET_ALLOW;
	*ret_usual = allows ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_THREAD;
	return take_action(where, &line, &p->action, err) < 0 ? -1 : 0;
}

static int parse_v2(struct policy *p, char **lines, struct place *where, struct error *err)
{
	uint32_t usual = 0, arch = 0;

	if (!lines[1])
		return refuse(where, err, "there is nothing behind the version");
	where->line = 2;
	if (parse_kind(p, where, lines[1], &usual, err) < 0)
		return -1;
	for (size_t i = 2; lines[i]; i++) {
		const char *line = skip_blanks(lines[i]);

		where->line = (unsigned)i + 1;
		if (is_end(line))
			continue;
		if (*line == '[') {
			if (!parse_section(line, &arch))
				return refuse(where, err, "\"%s\" is no architecture", line);
		} else if (parse_rule(p, where, line, arch, usual, err) < 0) {
			return -1;
		}
	}
	return 0;
}

static int parse_v1(struct policy *p, char **lines, struct place *where, struct error *err)
{
	where->line = 2;
	if (!lines[1] || (!strstr(lines[1], "allowlist") && !strstr(lines[1], "whitelist")))
		return refuse(where, err, "a policy of version 1 is an allowlist");
	p->action = SECCOMP_RET_KILL_THREAD;
	p->native_only = true;
	for (size_t i = 2; lines[i]; i++) {
		struct policy_rule rule = {.action = SECCOMP_RET_ALLOW, .line = (unsigned)i + 1};
		const char *line = lines[i];
		unsigned long long n;
		char word[64];

		where->line = rule.line;
		if (is_end(line))
			continue;
		if (!take_word(&line, word) || !str_to_u64(word, &n) || n > 0xffff || !is_end(line))
			return refuse(where, err, "\"%s\" is no number of a system call", lines[i]);
		rule.number = (int)n;
		if (add_rule(p, &rule, err) < 0)
			return -1;
	}
	return 0;
}

/* Lines, empty ones included, so that they can be counted. */
static int split_lines(struct strv *lines, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (strv_take(lines, strndup(text, n)) < 0)
			return -1;
		text += n + (text[n] == '\n');
	}
	return 0;
}

int policy_parse(struct policy *p, const char *text, const char *file, struct error *err)
{
	autostrv struct strv lines = {0};
	struct place where = {file, 1};
	char version[64] = "";
	const char *at;

	*p = (struct policy){0};
	if (split_lines(&lines, text) < 0)
		return error_set(err, ENOMEM, "out of memory");
	at = lines.n ? lines.v[0] : "";
	if (take_word(&at, version) && strcmp(version, "2") == 0)
		return parse_v2(p, lines.v, &where, err);
	if (strcmp(version, "1") == 0)
		return parse_v1(p, lines.v, &where, err);
	return refuse(&where, err, "the first line is no version (1 or 2)");
}

void policy_free(struct policy *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].name);
	free(p->v);
	*p = (struct policy){0};
}
