/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench - what lxcore costs beside its peers, and beside the least that the kernel lets it cost.
 *
 *	bench [--quick] [--json] [--big] [--rounds N] [--only PEER,PEER] [--config NAME]
 *
 * Every round runs each peer's whole life once: start, info, attach, freeze, stop ..., peers taking
 * turns in a changing order, so that whatever else the machine does meets all of them.  A figure is
 * the median of the rounds, of the tool's whole process, from posix_spawn to its end.  'spaced' rounds
 * have 0.3 s between operations, as people and scripts have; 'back to back' rounds none.  --big adds
 * 200 and 500 running containers.  It never fails because of a time: it prints.
 *
 * LXC_PREFIX says where lxcore is installed; LXC_BUILD where floor was built.  Needs root.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct bench bench = {.rounds = 15};

/* ---- one command ---- */

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* A template with %x prefix, %d build directory, %t our directory, %n name, %r rootfs, %b bridge. */
static void fill(char *out, size_t size, const char *template, const char *name)
{
	size_t n = 0;

	for (; *template && n + 1 < size; template++) {
		const char *value = NULL;

		if (*template == '%' && template[1]) {
			switch (*++template) {
			case 'x': value = bench.prefix; break;
			case 'd': value = bench.build; break;
			case 't': value = bench.dir; break;
			case 'n': value = name; break;
			case 'r': value = bench.rootfs; break;
			case 'b': value = bench.bridge; break;
			}
			n += (size_t)snprintf(out + n, size - n, "%s", value ? value : "");
			continue;
		}
		out[n++] = *template;
	}
	out[n < size ? n : size - 1] = 0;
}

static void send_errors_to(posix_spawn_file_actions_t *quiet)
{
	char errors[96];

	snprintf(errors, sizeof(errors), "%s/errors", bench.dir);
	posix_spawn_file_actions_init(quiet);
	posix_spawn_file_actions_addopen(quiet, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(quiet, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(quiet, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
}

int run_command(const char *template, const char *name, double *ret_ms)
{
	static bool ready;
	static posix_spawn_file_actions_t quiet;
	char line[2048], *argv[64], *at = line;
	int argc = 0, status;
	double began;
	pid_t pid;

	if (!ready)
		send_errors_to(&quiet);
	ready = true;
	fill(line, sizeof(line), template, name);
	while ((argv[argc] = strsep(&at, " ")) && argc < 63)
		if (*argv[argc])
			argc++;
	argv[argc] = NULL;
	began = now_ms();
	if (posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ))
		return -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (ret_ms)
		*ret_ms = now_ms() - began;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* We go to where it can run and come back; what it measures is the same. */
int run_peer(const struct peer *p, const char *template, const char *name, double *ret_ms)
{
	static int home = -1;
	int result;

	if (!p->v2_only || bench.v2_view < 0)
		return run_command(template, name, ret_ms);
	if (home < 0)
		home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (home < 0 || setns(bench.v2_view, CLONE_NEWNS) < 0)
		return -1;
	result = run_command(template, name, ret_ms);
	if (setns(home, CLONE_NEWNS) < 0)
		exit(1);
	return result;
}

static void complain(const struct peer *p, enum op op)
{
	char path[256], words[300] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/errors", bench.dir);
	f = fopen(path, "re");
	if (f) {
		size_t n = fread(words, 1, sizeof(words) - 1, f);
		words[n] = 0;
		fclose(f);
	}
	fprintf(stderr, "bench: %s: %s fails and is left out: %s\n", p->name, op_names[op], words);
}

/* ---- rounds ---- */

static void container_name(char *out, size_t size, const struct peer *p, const struct setting *s)
{
	snprintf(out, size, "%s%s%s", bench.id, p->name, s->name);
}

static void add_sample(struct samples *s, double ms)
{
	if (s->n < MAX_ROUNDS)
		s->ms[s->n++] = ms;
}

static void live_once(const struct peer *p, const struct setting *s, bool spaced,
		      struct samples samples[N_OPS], bool broken[N_OPS])
{
	char name[64];

	container_name(name, sizeof(name), p, s);
	for (int op = 0; op < N_OPS; op++) {
		const char *command = p->ops[op];
		double ms;

		if (op == OP_START && s->veth)
			command = p->start_veth;
		if (!command || broken[op])
			continue;
		if (spaced)
			usleep(300000);
		if (run_peer(p, command, name, &ms) != 0) {
			complain(p, op);
			broken[op] = true;
			if (op == OP_START)
				memset(broken, true, N_OPS * sizeof(*broken));
			continue;
		}
		add_sample(&samples[op], ms);
	}
}

static void measure(const struct setting *s, bool spaced, struct samples all[MAX_PEERS][N_OPS])
{
	static bool broken[MAX_PEERS][N_OPS];
	int rounds = spaced ? bench.rounds * 2 / 3 + 1 : bench.rounds;

	memset(all, 0, sizeof(struct samples) * MAX_PEERS * N_OPS);
	memset(broken, 0, sizeof(broken));
	for (int round = 0; round < rounds; round++)
		for (int k = 0; k < n_peers; k++) {
			int i = (k + round) % n_peers;

			if (!peers[i].on || (s->veth && !peers[i].start_veth) ||
			    (s->common && !peers[i].is_lxc))
				continue;
			live_once(&peers[i], s, spaced, all[i], broken[i]);
		}
}

/* ---- many running ---- */

static void many_name(char *out, size_t size, const struct peer *p, int i)
{
	snprintf(out, size, "%smany%s-%d", bench.id, p->name, i);
}

static int start_many(const struct peer *p, int from, int to, struct samples *s)
{
	char name[64];
	double ms;

	for (int i = from; i < to; i++) {
		many_name(name, sizeof(name), p, i);
		write_lxc_config(p, name, &settings[0], "many");
		if (run_command(p->start_many, name, &ms) != 0) {
			complain(p, OP_START);
			return -1;
		}
		if (s)
			add_sample(s, ms);
	}
	return 0;
}

static void stop_many(const struct peer *p, int n)
{
	char name[64];

	for (int i = 0; i < n; i++) {
		many_name(name, sizeof(name), p, i);
		run_command(p->stop_many, name, NULL);
	}
}

static void measure_list(const struct peer *p, int running)
{
	struct samples s = {0};
	double ms;

	for (int i = 0; i < 9; i++)
		if (run_command(p->list, "", &ms) == 0)
			add_sample(&s, ms);
	print_list(p, running, &s);
}

/* How a start with many running compares with the first ones. */
static void measure_growth(const struct peer *p)
{
	static struct samples first, last;
	int n = 0;

	memset(&first, 0, sizeof(first));
	memset(&last, 0, sizeof(last));
	if (start_many(p, 0, 50, &first) == 0 && start_many(p, 50, 450, NULL) == 0 &&
	    start_many(p, 450, 500, &last) == 0)
		n = 500;
	print_growth(p, n, &first, &last);
	if (n)
		measure_list(p, n);
	stop_many(p, 500);
}

static void measure_many(void)
{
	static const int counts[] = {1, 50, 200};

	for (int i = 0; i < n_peers; i++) {
		const struct peer *p = &peers[i];
		int running = 0;

		if (!p->on || !p->list || p->lua_hook)
			continue;
		for (size_t k = 0; k < (bench.big ? 3 : 2); k++) {
			if (start_many(p, running, counts[k], NULL) < 0)
				break;
			running = counts[k];
			measure_list(p, running);
			if (running == 50)
				print_memory(p, running);
		}
		stop_many(p, running);
		if (bench.big)
			measure_growth(p);
	}
}

/* ---- the whole ---- */

static void options(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			bench.json = true;
		else if (!strcmp(argv[i], "--quick"))
			bench.rounds = 5;
		else if (!strcmp(argv[i], "--big"))
			bench.big = true;
		else if (!strcmp(argv[i], "--rounds") && i + 1 < argc)
			bench.rounds = atoi(argv[++i]);
		else if (!strcmp(argv[i], "--only") && i + 1 < argc)
			bench.only = argv[++i];
		else if (!strcmp(argv[i], "--config") && i + 1 < argc)
			bench.config = argv[++i];
		else {
			fprintf(stderr, "usage: bench [--quick] [--json] [--big] [--rounds N] "
					"[--only PEER,PEER] [--config empty|veth|common]\n");
			exit(2);
		}
	}
	if (bench.rounds < 1 || bench.rounds > MAX_ROUNDS)
		bench.rounds = MAX_ROUNDS;
}

int main(int argc, char **argv)
{
	static struct samples all[MAX_PEERS][N_OPS];

	options(argc, argv);
	if (geteuid() != 0) {
		fprintf(stderr, "bench: cannot start containers: not run as root\n");
		return 1;
	}
	if (setup() < 0)
		return 1;
	print_begin();
	for (int k = 0; k < n_settings; k++) {
		if (bench.config && strcmp(bench.config, settings[k].name))
			continue;
		for (int i = 0; i < n_peers; i++)
			prepare_peer(&peers[i], &settings[k]);
		for (int spaced = 0; spaced <= 1; spaced++) {
			measure(&settings[k], spaced, all);
			print_table(&settings[k], spaced, all);
		}
	}
	measure_many();
	print_end();
	return 0;
}
