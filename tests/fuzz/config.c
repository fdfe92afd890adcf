/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A configuration: read, shown, changed, written and read again; the second reading says the same. */
#include "fuzz.h"
#include "config/conf.h"
#include "life/boot.h"

static struct conf *read_text(const char *text, struct error *err, int *ret)
{
	struct boot_sections sections;
	struct conf *c;

	boot_list_sections(&sections);
	c = conf_new(sections.v);
	if (!c)
		abort();
	*ret = conf_load_text(c, text, "fuzz", err);
	return c;
}

static void show_all(const struct conf *c, struct buf *out)
{
	autostrv struct strv keys = {0};

	if (conf_list_keys(c, "", &keys) < 0)
		return;
	for (size_t i = 0; i < keys.n; i++) {
		buf_addf(out, "%s:", keys.v[i]);
		conf_get(c, keys.v[i], out, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	autofree char *text = fuzz_text(bytes, n);
	struct error err = {0};
	struct conf *c, *again;
	int result, second;

	/* Files of this host are not the fuzzer's to read. */
	if (memchr(bytes, 0, n) || strcasestr(text, "include"))
		return 0;
	c = read_text(text, &err, &result);
	fuzz_check_error(result, &err);
	if (result == 0) {
		autobuf struct buf effective = BUF_INIT, first = BUF_INIT, other = BUF_INIT;

		show_all(c, &first);
		if (conf_effective_text(c, &effective) == 0) {
			err = (struct error){0};
			again = read_text(effective.s ? effective.s : "", &err, &second);
			show_all(again, &other);
			/* A bare variable's value is its reader's. */
			if (second < 0 || (!strstr(text, "environment") && !strstr(text, "hwaddr") &&
					   strcmp(first.s ? first.s : "", other.s ? other.s : "") != 0))
				abort();
			conf_free(again);
		}
		conf_set(c, "lxc.uts.name", "other", NULL);
		conf_unset(c, "lxc.net.0", NULL);
	}
	conf_free(c);
	return 0;
}
