/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The types of values: what each takes, how it shows it, and with which words it refuses. */
#include "unit.h"
#include "config/conf.h"

#include <limits.h>
#include <signal.h>
#include <string.h>

static const struct conf_word words[] = {
	{"bridge", 1}, {"router", 2}, {"pid", 4}, {"net", 8}, {NULL, 0}};
static const struct conf_range ports = {1, 4094};

/* One field that is large enough for any type. */
union field {
	bool b;
	unsigned u;
	int i;
	unsigned long long size;
	char *text;
	struct strv list;
	struct conf_pairs pairs;
};

struct value_case {
	const struct conf_type *type;
	const char *value;
	const char *shown;   /* what 'get' tells; NULL: it is refused */
	const char *refusal; /* with these words in it */
	const void *extra;
};

static const struct value_case cases[] = {
	{&conf_bool, "0", "0"},
	{&conf_bool, "1", "1"},
	{&conf_bool, "0x1", "1"},
	{&conf_bool, "2", NULL, "\"2\" is neither 0 nor 1"},
	{&conf_bool, "yes", NULL, "\"yes\" is neither 0 nor 1"},
	{&conf_bool, "-1", NULL, "neither 0 nor 1"},

	{&conf_uint, "0", "0"},
	{&conf_uint, "4294967295", "4294967295"},
	{&conf_uint, "0x10", "16"},
	{&conf_uint, "010", "8"},
	{&conf_uint, "abc", NULL, "\"abc\" is not a number between 0 and 4294967295"},
	{&conf_uint, "4294967296", NULL, "\"4294967296\" is not a number between 0 and 4294967295"},
	{&conf_uint, "-1", NULL, "not a number between 0"},
	{&conf_uint, "1x", NULL, "not a number"},
	{&conf_uint, "1 2", NULL, "not a number"},
	{&conf_uint, "+1", NULL, "not a number"},
	{&conf_uint, "99999999999999999999999", NULL, "not a number"},
	{&conf_uint, "1", "1", NULL, &ports},
	{&conf_uint, "4094", "4094", NULL, &ports},
	{&conf_uint, "0", NULL, "\"0\" is not a number between 1 and 4094", &ports},
	{&conf_uint, "4095", NULL, "\"4095\" is not a number between 1 and 4094", &ports},

	{&conf_int, "-5", "-5"},
	{&conf_int, "2147483647", "2147483647"},
	{&conf_int, "-2147483648", "-2147483648"},
	{&conf_int, "2147483648", NULL, "between -2147483648 and 2147483647"},
	{&conf_int, "--5", NULL, "not a number"},

	{&conf_size, "0", "0"},
	{&conf_size, "12", "12"},
	{&conf_size, "5K", "5120"},
	{&conf_size, "5 kb", "5120"},
	{&conf_size, "3MB", "3145728"},
	{&conf_size, "1GiB", "1073741824"},
	{&conf_size, "7B", "7"},
	{&conf_size, "auto", "131072"},
	{&conf_size, "5XB", NULL, "\"5XB\" is not a size"},
	{&conf_size, "KB", NULL, "not a size"},
	{&conf_size, "-1", NULL, "not a size"},
	{&conf_size, "5 K B", NULL, "not a size"},
	{&conf_size, "9223372036854775807", "9223372036854775807"},
	{&conf_size, "9223372036854775807K", NULL, "not a size"},
	{&conf_size, "99999999999999999999", NULL, "not a size"},

	{&conf_signal, "0", "0"},
	{&conf_signal, "9", "9"},
	{&conf_signal, "64", "64"},
	{&conf_signal, "65", NULL, "\"65\" is not a signal between 0 and 64"},
	{&conf_signal, "-9", NULL, "is not a signal"},
	{&conf_signal, "SIGHUP", "1"},
	{&conf_signal, "sigpwr", "30"},
	{&conf_signal, "SIGIOT", "6"},
	{&conf_signal, "SIGCLD", "17"},
	{&conf_signal, "SIGPOLL", "29"},
	{&conf_signal, "SIGUNUSED", "31"},
	{&conf_signal, "SIGSYS", "31"},
	{&conf_signal, "SIGSTKFLT", "16"},
	{&conf_signal, "SIGRTMIN", "34"},
	{&conf_signal, "SIGRTMIN+3", "37"},
	{&conf_signal, "SIGRTMAX-1", "63"},
	{&conf_signal, "SIGRTMAX", "64"},
	{&conf_signal, "SIGRTMIN+30", "64"},
	{&conf_signal, "SIGRTMIN+31", NULL, "up to SIGRTMIN+30"},
	{&conf_signal, "SIGRTMIN-1", NULL, "is not a signal"},
	{&conf_signal, "SIGRTMAX+1", NULL, "is not a signal"},
	{&conf_signal, "HUP", NULL, "\"HUP\" is not a signal; write SIGHUP"},
	{&conf_signal, "RTMIN+3", NULL, "write SIGRTMIN+3"},
	{&conf_signal, "SIGNOPE", NULL, "\"SIGNOPE\" is not a signal; one is written as a number"},
	{&conf_signal, "SIG", NULL, "is not a signal"},

	{&conf_string, "any text = at # all", "any text = at # all"},
	{&conf_path, "//srv///web/./x/", "/srv/web/x"},
	{&conf_path, "./a/../b", "a/../b"},
	{&conf_path, "/", "/"},

	{&conf_list, "one thing", "one thing\n"},
	{&conf_words, " a\tb  c ", "a\nb\nc\n"},

	{&conf_choice, "router", "router", NULL, words},
	{&conf_choice, "BRIDGE", "bridge", NULL, words},
	{&conf_choice, "rout", NULL, "\"rout\" is none of bridge, router, pid, net", words},
	{&conf_choice, "bridge router", NULL, "is none of", words},

	{&conf_flags, "net pid", "pid\nnet\n", NULL, words},
	{&conf_flags, "PID", "pid\n", NULL, words},
	{&conf_flags, "net foo", NULL, "\"foo\" is none of bridge", words},
	{NULL},
};

static void test_values(void)
{
	for (const struct value_case *t = cases; t->type; t++) {
		struct conf_key key = {.name = "lxc.x", .type = t->type, .extra = t->extra};
		autobuf struct buf shown = BUF_INIT;
		struct error err = {0};
		union field field = {0};
		int result = t->type->set(&field, &key, "", t->value, &err);

		buf_puts(&shown, "");
		t->type->get(&field, &key, "", &shown);
		if (t->shown) {
			SAME_NUMBER(result, 0);
			SAME(err.text, "");
			SAME(shown.s, t->shown);
		} else {
			union field zero = {0};

			SAME_NUMBER(result, -1);
			SAME_NUMBER(err.code, EINVAL);
			HAS(err.text, t->refusal);
			CU_ASSERT(memcmp(&field, &zero, sizeof(field)) == 0);
		}
		t->type->clear(&field, &key, "");
	}
}

static void test_long_values(void)
{
	struct conf_key key = {.name = "lxc.x", .type = &conf_path};
	char path[PATH_MAX + 1];
	struct error err = {0};
	char *field = NULL;

	memset(path, 'a', PATH_MAX);
	path[PATH_MAX] = '\0';
	SAME_NUMBER(conf_path.set(&field, &key, "", path, &err), -1);
	HAS(err.text, "...\" is longer than a path can be (4095 bytes)");
	CU_ASSERT_PTR_NULL(field);
	path[PATH_MAX - 1] = '\0';
	SAME_NUMBER(conf_path.set(&field, &key, "", path, &err), 0);
	conf_path.clear(&field, &key, "");
	CU_ASSERT_PTR_NULL(field);
}

static void test_scalars_replace(void)
{
	struct conf_key key = {.name = "lxc.x"};
	char *field = NULL;

	SAME_NUMBER(conf_string.set(&field, &key, "", "one", NULL), 0);
	SAME_NUMBER(conf_string.set(&field, &key, "", "two", NULL), 0);
	SAME(field, "two");
	conf_string.clear(&field, &key, "");
	CU_ASSERT_PTR_NULL(field);
	CU_ASSERT(conf_string.replaces(&key, ""));
	CU_ASSERT(conf_pairs.replaces(&key, "a"));
	CU_ASSERT_PTR_NULL(conf_list.replaces);
	CU_ASSERT_PTR_NULL(conf_pairs_list.replaces);
}

static void test_lists_add_up(void)
{
	struct conf_key key = {.name = "lxc.x", .extra = words};
	autobuf struct buf shown = BUF_INIT;
	struct strv list = {0};
	unsigned flags = 0;

	conf_list.set(&list, &key, "", "a b", NULL);
	conf_list.set(&list, &key, "", "a b", NULL);
	conf_list.get(&list, &key, "", &shown);
	SAME(shown.s, "a b\na b\n");
	conf_list.clear(&list, &key, "");
	SAME_NUMBER(list.n, 0);
	conf_flags.set(&flags, &key, "", "net", NULL);
	conf_flags.set(&flags, &key, "", "bridge", NULL);
	SAME_NUMBER(flags, 9);
	conf_flags.clear(&flags, &key, "");
	SAME_NUMBER(flags, 0);
}

static void shows(const struct conf_type *type, const struct conf_pairs *pairs,
		  const struct conf_key *key, const char *sub, const char *expected)
{
	autobuf struct buf shown = BUF_INIT;

	buf_puts(&shown, "");
	type->get(pairs, key, sub, &shown);
	SAME(shown.s, expected);
}

static void test_families(void)
{
	struct conf_key key = {.name = "lxc.prlimit."};
	struct conf_pairs one = {0}, many = {0};

	conf_pairs.set(&one, &key, "core", "1", NULL);
	conf_pairs.set(&one, &key, "nice", "2", NULL);
	conf_pairs.set(&one, &key, "core", "3", NULL);
	shows(&conf_pairs, &one, &key, "core", "3");
	shows(&conf_pairs, &one, &key, "cpu", "");
	shows(&conf_pairs, &one, &key, "", "lxc.prlimit.core = 3\nlxc.prlimit.nice = 2\n");
	conf_pairs.clear(&one, &key, "core");
	shows(&conf_pairs, &one, &key, "", "lxc.prlimit.nice = 2\n");
	conf_pairs.clear(&one, &key, "");
	shows(&conf_pairs, &one, &key, "", "");
	CU_ASSERT_PTR_NULL(one.v);

	conf_pairs_list.set(&many, &key, "a", "1", NULL);
	conf_pairs_list.set(&many, &key, "b", "2", NULL);
	conf_pairs_list.set(&many, &key, "a", "3", NULL);
	shows(&conf_pairs_list, &many, &key, "a", "1\n3\n");
	shows(&conf_pairs_list, &many, &key, "",
	      "lxc.prlimit.a = 1\nlxc.prlimit.b = 2\nlxc.prlimit.a = 3\n");
	conf_pairs_list.clear(&many, &key, "a");
	shows(&conf_pairs_list, &many, &key, "", "lxc.prlimit.b = 2\n");
	conf_pairs_list.clear(&many, &key, "");
	CU_ASSERT_PTR_NULL(many.v);
}

void suite_types(void)
{
	static const struct unit_test tests[] = {
		{"each type takes, shows and refuses values", test_values},
		{"a path has a longest length", test_long_values},
		{"a scalar's new value takes the place of the old", test_scalars_replace},
		{"lists and flags add up", test_lists_add_up},
		{"families hold values by name", test_families},
		{NULL, NULL},
	};

	unit_suite("types", tests);
}
