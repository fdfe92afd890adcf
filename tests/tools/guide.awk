# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The commands of a chapter, in their order, as files DIR/NNN.cmd with what is to be done, .who (root, user), .want
# (what it prints), .keys (what is typed meanwhile), .skip (why it is not tried).  In the text they stand in
# blocks
#
#	<!-- not tried: WHY -->         none of the next block is run
#	<!-- types                      the first command of the next block runs at a terminal, and this
#	SCRIPT -->                      script of ptyrun types there
#	```console
#	# COMMAND                       of root; '$ COMMAND' of an ordinary user
#	OUTPUT                          '...' is anything in a line; alone in a line it is any number of lines
#	```
#
# A line with <<WORD goes on until WORD, one that ends with a backslash with the next one.  Blocks of other
# kinds are no commands; those of kind 'conf' are written to DIR/NNN.conf.

function file(kind) { return sprintf("%s/%03d.%s", dir, n, kind) }
function bad(why) { printf "%s:%d: %s\n", FILENAME, FNR, why >"/dev/stderr"; failed = 1 }

in_keys {
	line = $0
	if (sub(/ *-->$/, "", line)) {
		in_keys = 0
		if (line == "") next
	}
	keys = keys line "\n"
	next
}
/^<!-- types *$/ { in_keys = 1; keys = ""; next }
/^<!-- not tried: .* -->$/ { why = $0; sub(/^<!-- not tried: /, "", why); sub(/ -->$/, "", why); next }

/^```/ && kind == "" {
	kind = substr($0, 4)
	if (kind == "") kind = "plain"
	open = 0
	if (kind == "conf") {
		n++
		printf "" >file("conf")
	}
	next
}
/^```$/ {
	if (keys != "" || until != "") bad("a block ends too early")
	kind = why = keys = until = ""
	next
}
kind == "console" && (until != "" || continued) {
	print >file("cmd")
	if ($0 == until) until = ""
	continued = !until && /\\$/
	next
}
kind == "console" && /^[#$] / {
	n++
	open = 1
	print (/^#/ ? "root" : "user") >file("who")
	command = substr($0, 3)
	print command >file("cmd")
	printf "" >file("want")
	if (why != "") print why >file("skip")
	if (keys != "") printf "%s", keys >file("keys")
	keys = ""
	until = ""
	if (match(command, /<<'?[A-Z]+'?/)) {
		until = substr(command, RSTART + 2, RLENGTH - 2)
		gsub(/'/, "", until)
	}
	continued = command ~ /\\$/
	next
}
kind == "console" {
	if (open) print >file("want")
	else bad("a block of commands does not begin with one")
	next
}
kind == "conf" { print >file("conf"); next }
kind != "" { if (kind != "json" && kind != "lua" && /^([#$] )?lxc-[a-z]+ /) bad("a command in a block of kind " kind); next }
/^(    |\t)/ && !/^    [a-z* ]/ { bad("a block is written with ``` here") }
END {
	if (kind != "") bad("a block does not end")
	exit failed
}
