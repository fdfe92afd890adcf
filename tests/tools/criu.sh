# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A criu that this kernel can be worked with: the host's own, or the newest of the distribution's archive,
# with the libraries that it wants beside it, so that the host stays as it is.  criu has to be about as new
# as the kernel, and a test machine's kernel is often newer than its distribution.

# criu_find: $CRIU is a directory for PATH; fails with the reason in $CRIU_WHY.
criu_find() {
	local own
	own=$(PATH=$PATH:/usr/sbin:/sbin command -v criu) || own=''
	CRIU=${own%/*}
	if [ "$own" ] && criu_serves "$own"; then return 0; fi
	[ "${LXC_BUILD:-}" ] || return 1
	CRIU=$LXC_BUILD/criu/bin
	if [ -x "$CRIU/criu" ] && criu_serves "$CRIU/criu"; then return 0; fi
	criu_fetch "${CRIU%/bin}" && criu_serves "$CRIU/criu"
}

# Kernels since 6.16 refuse a question about sockets that criu before 4.2 asks.
criu_serves() {
	local version wanted='3.16'
	CRIU_WHY="criu check fails: $("$1" check 2>&1 | grep -m 1 Error)"
	"$1" check >/dev/null 2>&1 || return 1
	! at_least "$(uname -r)" 6.16 || wanted='4.2'
	version=$("$1" --version | sed -n 's/^Version: //p')
	CRIU_WHY="criu $version is too old for Linux $(uname -r)"
	at_least "$version" "$wanted"
}
at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

# By apt with a state of its own, from the mirror that this host has, signatures checked as always.
criu_fetch() {	# DIRECTORY
	local dir="$1" mirror lib apt
	CRIU_WHY='there is no apt-get or patchelf to get another criu'
	if ! command -v apt-get >/dev/null || ! command -v patchelf >/dev/null; then return 1; fi
	mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | head -n 1)
	CRIU_WHY="no newer criu can be had from the mirror \"$mirror\""
	[ "$mirror" ] || return 1
	rm -rf "$dir" && mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial" "$dir/bin" || return 1
	: >"$dir/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$dir/sources"
	apt="-o Dir::Etc::sourcelist=$dir/sources -o Dir::Etc::sourceparts=- -o Dir::State=$dir/state
		-o Dir::State::status=$dir/status -o Dir::Cache=$dir/cache -o Acquire::Languages=none
		-o APT::Sandbox::User=root -o Debug::NoLocking=1"
	# shellcheck disable=SC2086 # options
	timeout 300 apt-get $apt -qq update >"$dir/log" 2>&1 &&
		timeout 300 apt-get $apt -qq -y --no-install-recommends --download-only install criu >>"$dir/log" 2>&1 ||
		return 1
	for deb in "$dir"/cache/archives/*.deb; do dpkg-deb -x "$deb" "$dir/root" || return 1; done
	rm -rf "$dir/state" "$dir/cache"
	lib=$dir/root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo x86_64-linux-gnu)
	cp "$dir/root/usr/sbin/criu" "$dir/bin/" &&
		patchelf --set-interpreter "$lib/$(basename "$(patchelf --print-interpreter "$dir/bin/criu")")" \
			--force-rpath --set-rpath "$lib" "$dir/bin/criu"
}
