#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A sample of the storage's fault sweep, the same points each time; 'make fault' has them all.
exec "${0%/*}/storage" -e 61
