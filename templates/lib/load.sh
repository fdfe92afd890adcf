# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The door to the template library: a template sets `lib` to this directory and sources this file;
# it gets every function below, a sane umask and a clean-up at exit. A template is then a table of
# options, a list of packages and a few calls, in the order in which a root filesystem comes to be:
#
#   options (options.sh) → container's config (config.sh) → mirror (mirror.sh, apt.sh)
#   → cached tree (cache.sh, debootstrap.sh, rpm.sh) → copy (copy.sh)
#   → what makes it this container (identity.sh, network.sh, ttys.sh, systemd.sh, locale.sh, login.sh), all through rootfs.sh.
#
# Or it is an image: single files (fetch.sh) from an image server (server.sh), unpacked (unpack.sh)
# with what their makers say of them (image.sh); or an OCI image (oci.sh).
#
# Functions hand results back in the variable that their comment names: a command substitution would
# cost a process and swallow the message of a failure.
# shellcheck shell=sh disable=SC1090,SC1091,SC2034,SC2154

template=${0##*/}

# A checkout that was not built has no paths.sh.
LXC_CONFIG_DIR=/usr/share/lxc/config
LXC_SYSCONF_DIR=/etc/lxc
LXC_CACHE_DIR=/var/cache/lxc
LXC_LIBEXEC_DIR=/usr/libexec/lxc
LXC_SBIN_DIR=/usr/sbin
if [ -r "$lib/paths.sh" ]; then
	. "$lib/paths.sh"
fi

for part in messages options config mirror archives apt debootstrap debs rpm el cache copy rootfs \
	identity network ttys systemd locale login arch fetch unpack image server oci \
	apk pacman slack tarball; do
	. "$lib/$part.sh"
done
unset part

# Where servers and chroot are, which ordinary users do not have in theirs.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

umask 022
trap on_exit EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
