/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of those who start containers: autostart, groups, log, what becomes of an ephemeral one. */
#ifndef LXCORE_PARTS_START_H
#define LXCORE_PARTS_START_H

#include "parts/part.h"

enum restart_when { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS };
struct restart_policy { /* lxc.start.restart */
	enum restart_when when;
	unsigned tries; /* in a row; 0: no limit */
};

struct start_conf {
	bool automatic;     /* lxc.start.auto */
	unsigned delay;     /* seconds */
	int order;
	struct strv groups, requires;
	struct restart_policy restart;
	bool ephemeral;
	char *log_file;
	int log_level;      /* 1 TRACE .. 9 FATAL; 0: unset */
	int log_syslog;     /* facility; 0: unset */
};
extern const struct conf_section start_section;

/* Open the log that lxc.log.file and lxc.log.syslog ask for, unless the program opened one itself. */
int start_open_log(const struct conf *c, const char *name, struct error *err);
bool start_is_ephemeral(const struct conf *c);
/* As it is written: "on-failure:5". */
void start_restart_text(const struct restart_policy *p, struct buf *out);

#endif
