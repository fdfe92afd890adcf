#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The book for browsers (make html): all of it is made, each tool and each chapter has its page, and every
# link in it leads somewhere.

. "${0%/*}/lib.sh"
need lowdown mandoc
source=$TESTS/..
[ -f "$source/doc/README.md" ] || skip_all 'the sources of the book are not here'
bin=$(dirname "$(command -v lxc-start)")
manual=$TMP/manual html=$TMP/html
LIMIT=60
mkdir "$manual"
plain_manual "$TMP/pages"
cp "$TMP"/pages/man*/* "$manual" 2>/dev/null || skip_all 'the manual is not installed'

run limit "$source/doc/book/make-book" "$source" "$manual" "$html"
is 'the book is made' "$status $err" '0 '
is '... and says where it begins' "$out" "$html/index.html"
run limit "$source/doc/book/make-book" "$source" "$manual" "$html"
is '... again, in place of the old one' "$status $(find "$TMP" -maxdepth 1 -name 'html*' | wc -l)" '0 1'

# ---- pages

missing=
for tool in "$bin"/lxc-* "$bin"/../sbin/lxc-*; do
	grep -q "<title>${tool##*/}(1)</title>" "$html/${tool##*/}.1.html" || missing="$missing ${tool##*/}"
done
is 'every tool has its page' "$missing" ''
missing=
for page in "$manual"/*; do
	grep -q "href=\"${page##*/}.html\"" "$html/index.html" || missing="$missing ${page##*/}"
done
is 'every page of the manual stands in the contents' "$missing" ''
missing=
for page in "$source"/doc/guide/*.md "$source"/doc/*.md; do
	case $page in */README.md) continue ;; esac
	grep -q "(${page#"$source"/doc/})" "$source/doc/README.md" || missing="$missing ${page##*/}"
done
is 'every chapter stands in doc/README.md' "$missing" ''
is '... and under its title' "$(for page in "$html"/guide-*.html; do
	grep -c '^<h1' "$page"
	grep '<title>..*</title>' "$page" >/dev/null || echo "$page"
done | sort -u)" 1
is 'pages have no script' "$(grep -l '<script' "$html"/*.html)" ''
is '... and nothing from elsewhere' "$(grep -lE '(src|rel)="?[^ ]*https?:' "$html"/*.html)" ''

# ---- links

# What each page has that a link can lead to, and where its links lead: 'PAGE#ID' and 'FROM PAGE#ID'.
(
	cd "$html" || exit
	for page in *.html; do
		echo "$page#"
		grep -oE ' id="[^"]*"' "$page" | sed -e 's/^ id="//' -e 's/"$//' -e "s/^/$page#/"
	done
) >"$TMP/places"
(
	cd "$html" || exit
	for page in *.html; do
		grep -oE '<(a|link)[^>]* href="[^"]*"' "$page" | sed -e 's/.* href="//' -e 's/"$//' |
			grep -vE '^https?:' | sed -e "s/^#/$page#/" -e '/#/!s/$/#/' -e "s/^/$page /"
	done
) >"$TMP/links"
echo 'book.css#' >>"$TMP/places"
ok 'there are thousands of links' test "$(wc -l <"$TMP/links")" -gt 2000
is 'every link leads somewhere' \
	"$(awk 'NR == FNR { there[$0] = 1; next } !($2 in there)' "$TMP/places" "$TMP/links" | head -20)" ''
ok 'a tool that the guide names leads to its page' \
	grep -q '<a href="lxc-attach\.1\.html"><code>lxc-attach</code></a>' "$html/guide-first.html"
ok '... and a key to its line' \
	grep -q '<a href="lxc\.container\.conf\.5\.html#lxc\.net\.N\.type"><code>lxc\.net\.0' "$html/guide-networks.html"
ok 'what is typed stands out' grep -q '<b># lxc-stop -n demo</b>' "$html/guide-first.html"
ok '... with the lines that belong to it' grep -q '^<b>lxc.limit.pids = 100</b>' "$html/guide-limits.html"
ok 'a bold name of the manual leads to its page, too' \
	grep -q '<a href="lxc.container.conf.5.html#lxc.init.cmd"><b>' "$html/lxc-start.1.html"
ok 'a long page has contents of its own' grep -q '<a href="#Keys_of_network">' "$html/lxc.container.conf.5.html"
ok 'pages of the manual lead to each other' \
	grep -q '<a class="Xr" href="lxc-stop\.1\.html">lxc-stop(1)</a>' "$html/lxc-start.1.html"
ok '... and not to those that are not ours' grep -q '[^>]umount2(2)\|>umount2(2)' "$html/lxc.seccomp.5.html"
is '... at all' "$(grep -l 'href="umount2' "$html"/*.html)" ''

# ---- what is not there

mkdir "$TMP/source"
cp -r "$source/doc" "$source/README.md" "$source/SECURITY.md" "$TMP/source"
echo '* [Nothing](guide/nothing.md) - no such chapter' >>"$TMP/source/doc/README.md"
fails_with 'a chapter that is not there is an error' 1 'names doc/guide/nothing.md' \
	limit "$TMP/source/doc/book/make-book" "$TMP/source" "$manual" "$html"
ok '... and the book stays as it was' test -s "$html/index.html" -a ! -e "$html.new"
mkdir "$TMP/bin"
for program in sh sed awk rm; do ln -s "$(command -v $program)" "$TMP/bin/"; done
fails_with 'without lowdown it says what to install' 1 'no lowdown' \
	env PATH="$TMP/bin" "$source/doc/book/make-book" "$source" "$manual" "$html"

done_testing
