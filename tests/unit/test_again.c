/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a container that ended is started again: by policy, by how it ended, by how long it ran. */
#include "unit.h"
#include "life/again.h"

#include <signal.h>
#include <sys/wait.h>

static void test_failures(void)
{
	static const struct {
		int status;
		bool failure;
	} cases[] = {
		{W_EXITCODE(0, 0), false},      /* init ended as it wanted */
		{W_EXITCODE(0, SIGINT), false}, /* poweroff or halt inside */
		{W_EXITCODE(7, 0), true},
		{W_EXITCODE(0, SIGKILL), true}, /* out of memory */
		{W_EXITCODE(0, SIGSEGV), true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		SAME_NUMBER(again_is_failure(cases[i].status), cases[i].failure);
}

static void test_policies(void)
{
	static const struct {
		struct restart_policy policy;
		bool failed, asked;
		int ms;
	} cases[] = {
		{{RESTART_NO, 0}, true, false, -1},
		{{RESTART_NO, 0}, false, false, -1},
		{{RESTART_ON_FAILURE, 0}, true, false, 100},
		{{RESTART_ON_FAILURE, 0}, false, false, -1},
		{{RESTART_ON_FAILURE, 0}, true, true, -1},
		{{RESTART_ALWAYS, 0}, true, false, 100},
		{{RESTART_ALWAYS, 0}, false, false, 100},
		{{RESTART_ALWAYS, 0}, false, true, -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct again a = {.running = 1000, .asked = cases[i].asked};

		SAME_NUMBER(again_after(&a, &cases[i].policy, cases[i].failed, 1001), cases[i].ms);
	}
}

/* Each try waits twice as long, a minute at most; who ran well begins anew. */
static void test_back_off(void)
{
	static const int delays[] = {100,  200,   400,   800,   1600,  3200,
				     6400, 12800, 25600, 51200, 60000, 60000};
	const struct restart_policy always = {RESTART_ALWAYS, 0};
	struct again a = {0};
	long long now = 5000;

	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		a.running = now;
		now += AGAIN_WELL_MS - 1;
		SAME_NUMBER(again_after(&a, &always, true, now), delays[i]);
	}
	/* A boot that failed has not run at all. */
	SAME_NUMBER(again_after(&a, &always, true, now + 100 * AGAIN_WELL_MS), 60000);
	a.running = now;
	SAME_NUMBER(again_after(&a, &always, true, now + AGAIN_WELL_MS), 100);
	a.in_a_row = 4000000000U;
	SAME_NUMBER(again_after(&a, &always, true, now), 60000);
}

static void test_tries(void)
{
	const struct restart_policy three = {RESTART_ON_FAILURE, 3};
	struct again a = {0};

	for (int i = 0; i < 3; i++)
		CU_ASSERT(again_after(&a, &three, true, 1000) > 0);
	SAME_NUMBER(again_after(&a, &three, true, 1000), -1);
	a.running = 1000;
	SAME_NUMBER(again_after(&a, &three, true, 1000 + AGAIN_WELL_MS), 100);
}

void suite_again(void)
{
	static const struct unit_test tests[] = {
		{"a poweroff is no failure, a signal is", test_failures},
		{"a policy decides, an asked end is final", test_policies},
		{"tries come more and more slowly", test_back_off},
		{"so many tries in a row", test_tries},
		{NULL, NULL},
	};

	unit_suite("again", tests);
}
