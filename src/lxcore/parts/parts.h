/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All parts of a container by name, for the one table that lists them in order (life/boot.c). */
#ifndef LXCORE_PARTS_PARTS_H
#define LXCORE_PARTS_PARTS_H

#include "parts/part.h"

extern const struct part part_resources;
extern const struct part part_namespaces, part_idmap, part_root, part_cgroup, part_network, part_limits;
extern const struct part part_rootfs, part_uts, part_keyring, part_dev, part_mounts, part_sources;
extern const struct part part_devices, part_terminals, part_pivot, part_sysctl, part_caps, part_label;
extern const struct part part_seccomp, part_init, part_start;
extern const struct part part_hooks_pre_start, part_hooks_pre_mount, part_hooks_mount;
extern const struct part part_hooks_autodev, part_hooks_start, part_hooks_start_host;

#endif
