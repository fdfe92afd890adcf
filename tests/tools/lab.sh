# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A publisher of packages in little: a key to sign with, and a server on this host's loopback.
# shellcheck disable=SC2034,SC2154 # variables for the tests, and theirs

WWW=$TMP/www GPG=$TMP/gpg

# A key that signs without asking, and its public half as gpg exports it; the agent ends with HOME.
lab_key() {	# HOME FILE NAME [--armor]
	mkdir -m 700 "$1"
	gpg --homedir "$1" --batch -q --passphrase '' --quick-gen-key "$3 <lab@lab.example>" rsa2048 sign never \
		2>/dev/null && gpg --homedir "$1" ${4:-} --export >"$2"
}

# On a port of the kernel's choice; $URL.
lab_serve() {
	: >"$TMP/httpd.log"	# what an earlier one said is not meant
	/usr/bin/python3 -u -m http.server -b 127.0.0.1 -d "$WWW" 0 >>"$TMP/httpd.log" 2>&1 &
	HTTPD=$!
	eventually 10 grep -q 'port [0-9]' "$TMP/httpd.log" || { diag "$(cat "$TMP/httpd.log")"; return 1; }
	URL=http://127.0.0.1:$(sed -n 's/.* port \([0-9]*\).*/\1/p' "$TMP/httpd.log")
}
lab_stop_serving() { kill "$HTTPD" 2>/dev/null; wait "$HTTPD" 2>/dev/null; }

# One package more, which says where it is from.
lab_hello() {
	mkdir -p "$TMP/hello/usr/bin"
	printf '%s\n' '#!/bin/sh' 'echo hello from the mirror' >"$TMP/hello/usr/bin/hello"
	chmod 755 "$TMP/hello/usr/bin/hello"
}

# can_log_in SENTENCE NAME TTY USER PASSWORD PROMPT: at a terminal of the container
can_log_in() {
	run ptyrun -t 30 "expect itself
send \\r
expect login: \$
send $4\\r
expect Password: \$
send $5\\r
expect $6 
send echo he\"\"llo \$(hostname)\\r
expect hello $2
send exit\\r
expect login: \$
send \\x01q
end" -- lxc-console -P "$P" -n "$2" -t "$3"
	is "$1" "$status" 0
}
