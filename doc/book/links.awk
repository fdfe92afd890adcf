# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Links of one page of the book.  Links between sources become links between pages; those to what is not
# in the book lose their link and keep their text; names of tools, configuration keys and manual pages
# become links.  -v pages=FILE has lines 'SOURCE PAGE', -v keys=FILE those of configuration keys, -v
# source=FILE is what this page was made from.  The text is read a tag at a time.

function plain(path,    parts, n, i, out) {	# without . and ..
	n = split(path, parts, "/")
	out = ""
	for (i = 1; i <= n; i++) {
		if (parts[i] == "" || parts[i] == ".")
			continue
		if (parts[i] == "..")
			sub(/\/?[^\/]*$/, "", out)
		else
			out = out (out == "" ? "" : "/") parts[i]
	}
	return out
}

# The page that a link leads to; "" when there is none in the book.
function target(href,    at, fragment) {
	if (href ~ /^(#|https?:|mailto:)/)
		return href
	at = index(href, "#")
	fragment = at ? substr(href, at) : ""
	if (at)
		href = substr(href, 1, at - 1)
	if (href in made)
		return href fragment
	href = plain(folder "/" href)
	return href in page ? page[href] fragment : ""
}

# The page on what stands in `code`, or is bold in a page of the manual: a tool, perhaps with its options, a page,
# a key; "" when there is none but this one.
function link_of_code(text,    to) {
	gsub(/[ \n]+/, " ", text)
	to = place_of(text)
	return to == page[source] || index(to, page[source] "#") == 1 ? "" : to
}

function place_of(text,    key) {
	key = text
	sub(/ .*/, "", key)
	if (key ~ /^lxc-/ && (key ".1.html") in made)
		return key ".1.html"
	if (text ~ /^[a-z.-]+\([1-8]\)$/) {
		key = text
		sub(/\(/, ".", key)
		sub(/\)/, ".html", key)
		return key in made ? key : ""
	}
	if (text !~ /^lxc\.[a-z0-9._]+( =.*)?$/)
		return ""
	sub(/ =.*/, "", text)
	sub(/^lxc\.net\.[0-9]+\./, "lxc.net.N.", text)
	if (!(text in known)) {
		key = text
		sub(/\.[^.]*$/, ".*", key)
		while (!(key in known) && key ~ /\..*\..*\*$/)
			sub(/\.[^.]*\.\*$/, ".*", key)
		text = key
	}
	return text in known && text != "lxc.*" ? "lxc.container.conf.5.html#" text : ""
}

# NAME(N) in running text.
function with_links(text,    out, word, name) {
	out = ""
	while (match(text, /[a-z][a-z0-9._-]*\([1-8]\)/)) {
		word = substr(text, RSTART, RLENGTH)
		name = word
		sub(/\(/, ".", name)
		sub(/\)/, ".html", name)
		out = out substr(text, 1, RSTART - 1)
		out = out (name in made ? "<a href=\"" name "\">" word "</a>" : word)
		text = substr(text, RSTART + RLENGTH)
	}
	return out text
}

# What is typed stands out from what is printed; a line with <<WORD goes on until WORD.
function with_commands(text,    line, n, i, out, until) {
	n = split(text, line, "\n")
	out = until = ""
	for (i = 1; i <= n; i++) {
		if (i > 1)
			out = out "\n"
		if (line[i] !~ /^[#$] / && until == "") {
			out = out line[i]
			continue
		}
		out = out "<b>" line[i] "</b>"
		if (line[i] == until)
			until = ""
		else if (match(line[i], /(&lt;|&#60;)(&lt;|&#60;)(&#39;|\047)?[A-Z]+/)) {
			until = substr(line[i], RSTART, RLENGTH)
			sub(/.*[^A-Z]/, "", until)
		}
	}
	return out
}

BEGIN {
	while ((getline line <pages) > 0) {
		split(line, word, " ")
		page[word[1]] = word[2]
		made[word[2]] = 1
	}
	while ((getline line <keys) > 0)
		known[line] = 1
	folder = source
	if (!sub(/\/[^\/]*$/, "", folder))
		folder = ""
	RS = "<"
	ORS = ""
}

NR == 1 { print with_links($0); next }

{
	end = index($0, ">")
	tag = substr($0, 1, end - 1)
	text = substr($0, end + 1)
	before = after = ""
	if (tag ~ /^pre/) quiet++
	if (tag ~ /^\/pre/) quiet--
	if (tag ~ /^h[1-6]/) quiet++
	if (tag ~ /^\/h[1-6]/) quiet--
	if (tag ~ /^a /) {
		quiet++
		if (match(tag, /href="[^"]*"/)) {
			to = target(substr(tag, RSTART + 6, RLENGTH - 7))
			dropped = to == ""
			if (!dropped)
				tag = substr(tag, 1, RSTART - 1) "href=\"" to "\"" substr(tag, RSTART + RLENGTH)
		}
	}
	if (tag == "/a")
		quiet--
	if ((tag == "code" || tag == "b" && source !~ /\.md$/) && !quiet && (to = link_of_code(text)) != "") {
		before = "<a href=\"" to "\">"
		linked = 1
	}
	if ((tag == "/code" || tag == "/b") && linked) {
		after = "</a>"
		linked = 0
	}
	print before
	if (!((tag ~ /^a / || tag == "/a") && dropped))
		print "<" tag ">"
	if (tag == "/a")
		dropped = 0
	if (tag == "code class=\"language-console\"")
		text = with_commands(text)
	print after (quiet || tag ~ /^(code|b$|style|title)/ ? text : with_links(text))
}
