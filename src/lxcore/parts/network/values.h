/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The types of values of an interface's keys. */
#ifndef LXCORE_PARTS_NETWORK_VALUES_H
#define LXCORE_PARTS_NETWORK_VALUES_H

#include "parts/network/nic.h"

/* type                                       field               extra */
extern const struct conf_type value_interface; /* char[IFNAMSIZ]                     */
extern const struct conf_type value_hwaddr;    /* char[HWADDR_TEXT]                  */
extern const struct conf_type value_up;        /* bool                               */
extern const struct conf_type value_number;    /* unsigned, 0: unset  const struct conf_range * */
extern const struct conf_type value_addresses; /* struct addresses    const int *: the family */
extern const struct conf_type value_routes;    /* struct addresses    const int *: the family */
extern const struct conf_type value_gateway;   /* struct gateway      const int *: the family */
extern const struct conf_type value_vlan;      /* struct vlan                        */
extern const struct conf_type value_vlans;     /* struct vlans                       */

#endif
