# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tar files made by hand, so that they can hold what no honest tar writes.
# shellcheck shell=sh disable=SC2154

# member FILE NAME TYPE LINK MODE [SIZE [DEVICE]]: adds a header of the ustar format. TYPE is its
# letter: 0 file, 1 hard link, 2 symbolic link, 3 and 4 devices, 5 directory; SIZE in octal.
member() {
	file=$1
	header=$scratch/header
	{
		padded 100 "$2"
		padded 8 "$(printf '%07o' "0$5")"
		padded 8 0000000
		padded 8 0000000
		padded 12 "$(printf '%011o' "0${6:-0}")"
		padded 12 00000000000
		printf '        %s' "$3"
		padded 100 "$4"
		printf 'ustar\00000'
		padded 64 ''
		padded 8 000000"${7:-0}"
		padded 8 000000"${7:-0}"
		padded 167 ''
	} >"$header"
	sum=$(od -An -v -tu1 "$header" | awk '{ for (i = 1; i <= NF; i++) n += $i } END { print n }')
	{
		head -c 148 "$header"
		printf '%06o\000 ' "$sum"
		tail -c +157 "$header"
	} >>"$file"
}

# padded LENGTH TEXT
padded() {
	printf '%s' "$2"
	head -c $(($1 - ${#2})) /dev/zero
}

# bytes FILE TEXT: what a file has, after its header
bytes() {
	padded 512 "$2" >>"$1"
}

# finish FILE
finish() {
	head -c 1024 /dev/zero >>"$1"
}
