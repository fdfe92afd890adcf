/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of those who start containers: autostart, groups, log, what becomes of an ephemeral one. */
#ifndef LXCORE_PARTS_START_H
#define LXCORE_PARTS_START_H

#include "parts/part.h"

struct start_conf {
	bool automatic;     /* lxc.start.auto */
	unsigned delay;     /* seconds */
	int order;
	struct strv groups, requires;
	bool ephemeral;
	char *log_file;
	int log_level;      /* 1 TRACE .. 9 FATAL; 0: unset */
};
extern const struct conf_section start_section;

/* Open the log that lxc.log.file asks for, unless the program opened one itself. */
int start_open_log(const struct conf *c, const char *name, struct error *err);
bool start_is_ephemeral(const struct conf *c);

#endif
