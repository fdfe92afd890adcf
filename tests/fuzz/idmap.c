/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Id maps: each line is a value of lxc.idmap; what is taken maps each id to one id at most. */
#include "fuzz.h"
#include "config/conf.h"
#include "parts/idmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const struct conf_section *const sections[] = {&idmap_section, NULL};
	autofree char *text = fuzz_text(bytes, n);
	struct conf *c = conf_new(sections);
	autobuf struct buf shown = BUF_INIT;
	char *rest = text, *line;
	const struct idmaps *maps;

	while (c && (line = strsep(&rest, "\n"))) {
		struct error err = {0};

		fuzz_check_error(conf_set(c, "lxc.idmap", line, &err), &err);
	}
	maps = idmap_of(c);
	for (size_t i = 0; i < maps->n; i++) {
		unsigned long host = 0;

		idmap_to_host(maps, 'u', 0, &host);
		idmap_to_host(maps, 'g', 65535, &host);
	}
	idmap_any(c);
	conf_get(c, "lxc.idmap", &shown, NULL);
	conf_free(c);
	return 0;
}
