/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the rooms of the benchmark share: who is measured, doing what, with which configuration. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>

#define MAX_ROUNDS 200
#define MAX_PEERS 8

/* In the order of a container's life. */
enum op {
	OP_TRUE, OP_ONESHOT, OP_START, OP_INFO, OP_STATE, OP_ATTACH, OP_FREEZE, OP_UNFREEZE, OP_STOP,
	N_OPS
};

struct peer {
	const char *name;
	const char *program;    /* it takes part when that is there */
	const char *ops[N_OPS]; /* command templates (see fill()); NULL: it has no such thing */
	const char *start_veth; /* start with a veth; NULL: cannot */
	const char *list;       /* all running ones, with state and addresses */
	const char *start_many, *stop_many;
	bool is_lxc;            /* reads the configuration of containers */
	bool is_oci;
	bool lua_hook;          /* its containers have a hook in Lua that does nothing */
	bool v2_only;           /* runs in bench.v2_view where there are old hierarchies too */
	bool on;
};

struct setting {
	const char *name;
	bool veth, common;
};

struct samples {
	double ms[MAX_ROUNDS];
	int n;
};

struct bench {
	int rounds;
	bool json, big;
	const char *only, *config, *prefix, *build;
	int v2_view; /* mount namespace; -1: not needed, or not to be had */
	char id[12], dir[64], rootfs[96], bridge[16];
};

extern struct bench bench;
extern const char *const op_names[N_OPS];
extern struct peer peers[];
extern const int n_peers;
extern const struct setting settings[];
extern const int n_settings;

/* bench.c: run a command made from a template; its exit status, -1: could not. */
int run_command(const char *template, const char *name, double *ret_ms);

/* The same, where that peer can run. */
int run_peer(const struct peer *p, const char *template, const char *name, double *ret_ms);

/* peers.c */
int setup(void);
void prepare_peer(const struct peer *p, const struct setting *s);
int write_lxc_config(const struct peer *p, const char *name, const struct setting *s,
		     const char *path);

/* print.c */
void print_begin(void);
void print_end(void);
void print_table(const struct setting *s, bool spaced, struct samples all[MAX_PEERS][N_OPS]);
void print_list(const struct peer *p, int running, struct samples *s);
void print_growth(const struct peer *p, int n, struct samples *first, struct samples *last);
/* Of the supervisors of the peer's many containers. */
void print_memory(const struct peer *p, int running);

#endif
