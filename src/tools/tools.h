/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of all tools: TOOLS(X) calls X(start) ... for each; tool_start is its table. */
#ifndef LXC_TOOLS_TOOLS_H
#define LXC_TOOLS_TOOLS_H

#include "cli.h"

#define TOOLS(X) \
	X(attach) X(autostart) X(cgroup) X(checkconfig) X(checkpoint) X(clone) X(config) \
	X(console) X(copy) X(cp) X(create) X(destroy) X(device) X(diff) X(events) X(execute) \
	X(export) X(freeze) \
	X(import) X(info) X(logs) X(ls) X(monitor) X(net) X(rename) X(restart) X(snapshot) \
	X(start) X(start_ephemeral) X(stop) X(top) X(unfreeze) X(unshare) X(update) \
	X(update_config) X(usernsexec) X(wait)

#define TOOLS_DECLARE(name) extern const struct tool tool_##name;
TOOLS(TOOLS_DECLARE)
#undef TOOLS_DECLARE

#endif
