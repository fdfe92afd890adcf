/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public face's small change: errors, version, places, global items, the log. */
#include "base/error.h"
#include "lxcore.h"
#include "base/log.h"
#include "config/global.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

lxcore_error *lxcore_error_new(void)
{
	return calloc(1, sizeof(struct error));
}

void lxcore_error_free(lxcore_error *err)
{
	free(err);
}

const char *lxcore_error_text(const lxcore_error *err)
{
	return err->text;
}

const char *lxcore_error_mend(const lxcore_error *err)
{
	return err->mend;
}

int lxcore_error_code(const lxcore_error *err)
{
	return err->code;
}

int lxcore_error_set(lxcore_error *err, int code, const char *text, const char *mend)
{
	error_clear(err);
	error_set(err, code, "%s", text);
	return mend && *mend ? error_mend(err, "%s", mend) : -1;
}

const char *lxcore_version(void)
{
	return LXCORE_VERSION;
}

int lxcore_global(const char *item, char **ret, lxcore_error *err)
{
	return global_get(item, ret, err);
}

const char *const *lxcore_global_items(void)
{
	return global_items();
}

const char *lxcore_install_dir(const char *which)
{
	static const struct {
		const char *name, *path;
	} places[] = {
		{"templates", LXCORE_TEMPLATEDIR}, {"config", LXCORE_CONFIGDIR},
		{"hooks", LXCORE_HOOKDIR}, {"rootfs-mount", LXCORE_ROOTFS_MOUNT},
		{"run", LXCORE_RUNDIR}, {"libexec", LXCORE_LIBEXECDIR},
		{"sysconf", LXCORE_SYSCONFDIR}, {"log", LXCORE_LOGDIR},
		{"state", LXCORE_STATEDIR},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strcmp(which, places[i].name) == 0)
			return places[i].path;
	return NULL;
}

int lxcore_log_open(const char *file, const char *level, const char *program, const char *container,
		    lxcore_error *err)
{
	int number = log_level_parse(level);

	if (!number)
		return error_set(err, EINVAL, "\"%s\" is no log level: TRACE, DEBUG, INFO, NOTICE, "
				 "WARN, ERROR, CRIT, ALERT or FATAL", level);
	return log_open(file, (enum log_level)number, program, container, err);
}
