/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys of those who start containers: lxc-autostart's order, groups, the log, whether the container
 * is started again when it ends, and whether it goes for good when it stops.  They have no doors:
 * life/ and store/ ask for them.
 */
#include "parts/start.h"
#include "base/log.h"
#include "base/path.h"

#include <string.h>

static const struct conf_word levels[] = {
	{"TRACE", LOG_TRACE}, {"DEBUG", LOG_DEBUG}, {"INFO", LOG_INFO}, {"NOTICE", LOG_NOTICE},
	{"WARN", LOG_WARN},   {"ERROR", LOG_ERROR}, {"CRIT", LOG_CRIT}, {"ALERT", LOG_ALERT},
	{"FATAL", LOG_FATAL}, {NULL, 0},
};

/* By their numbers in the protocol of syslog (RFC 3164). */
static const struct conf_word facilities[] = {
	{"daemon", 3}, {"local0", 16}, {"local1", 17}, {"local2", 18}, {"local3", 19},
	{"local4", 20}, {"local5", 21}, {"local6", 22}, {"local7", 23}, {NULL, 0},
};

static int set_level(void *field, const struct conf_key *key, const char *sub, const char *value,
		     struct error *err)
{
	unsigned long long n;

	if (!str_to_u64(value, &n))
		return conf_choice.set(field, key, sub, value, err);
	if (n > 8)
		return error_set(err, EINVAL, "\"%s\" is no log level between 0 and 8", value);
	*(int *)field = (int)n + 1;
	return 0;
}

static void get_level(const void *field, const struct conf_key *key, const char *sub,
		      struct buf *out)
{
	if (!*(const int *)field)
		buf_puts(out, "NOTSET");
	else
		conf_choice.get(field, key, sub, out);
}

static void clear_level(void *field, const struct conf_key *key, const char *sub)
{
	*(int *)field = 0;
}

static const struct conf_type type_level = {"LEVEL", set_level, get_level, clear_level,
					    conf_replaces};

/* NAME[:running|network|ready]; a name may have colons itself. */
static int set_requires(void *field, const struct conf_key *key, const char *sub, const char *value,
			struct error *err)
{
	static const char *const ends[] = {":running", ":network", ":ready"};
	autofree char *name = strdup(value);

	if (!name)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (str_ends(name, ends[i])) {
			name[strlen(name) - strlen(ends[i])] = '\0';
			break;
		}
	if (path_check_name(name, err) < 0)
		return -1;
	return conf_list.set(field, key, sub, value, err);
}

static void get_requires(const void *field, const struct conf_key *key, const char *sub,
			 struct buf *out)
{
	conf_list.get(field, key, sub, out);
}

static void clear_requires(void *field, const struct conf_key *key, const char *sub)
{
	conf_list.clear(field, key, sub);
}

static const struct conf_type type_requires = {"NAME[:running|network|ready]", set_requires,
					       get_requires, clear_requires, NULL};

/* no|on-failure[:N]|always */
static int set_restart(void *field, const struct conf_key *key, const char *sub, const char *value,
		       struct error *err)
{
	struct restart_policy *p = field;
	unsigned long long tries;

	(void)key;
	(void)sub;
	if (strcmp(value, "no") == 0) {
		*p = (struct restart_policy){RESTART_NO, 0};
	} else if (strcmp(value, "always") == 0) {
		*p = (struct restart_policy){RESTART_ALWAYS, 0};
	} else if (strcmp(value, "on-failure") == 0) {
		*p = (struct restart_policy){RESTART_ON_FAILURE, 0};
	} else if (str_starts(value, "on-failure:") &&
		   str_to_u64(value + strlen("on-failure:"), &tries) && tries > 0 &&
		   tries <= 1000000) {
		*p = (struct restart_policy){RESTART_ON_FAILURE, (unsigned)tries};
	} else {
		error_set(err, EINVAL, "\"%s\" says not when it is started again", value);
		return error_mend(err, "lxc.start.restart = no, on-failure, on-failure:N (N tries in a "
				  "row, 1 to 1000000), or always");
	}
	return 0;
}

void start_restart_text(const struct restart_policy *p, struct buf *out)
{
	static const char *const words[] = {"no", "on-failure", "always"};

	buf_puts(out, words[p->when]);
	if (p->tries)
		buf_addf(out, ":%u", p->tries);
}

static void get_restart(const void *field, const struct conf_key *key, const char *sub,
			struct buf *out)
{
	(void)key;
	(void)sub;
	start_restart_text(field, out);
}

static void clear_restart(void *field, const struct conf_key *key, const char *sub)
{
	(void)key;
	(void)sub;
	*(struct restart_policy *)field = (struct restart_policy){RESTART_NO, 0};
}

static const struct conf_type type_restart = {"no|on-failure[:N]|always", set_restart, get_restart,
					      clear_restart, conf_replaces};

#define FIELD(name) offsetof(struct start_conf, name)
static const struct conf_key keys[] = {
	{"lxc.start.auto", &conf_bool, FIELD(automatic), .preset = "0",
	 .summary = "lxc-autostart starts this container."},
	{"lxc.start.delay", &conf_uint, FIELD(delay), .preset = "0",
	 .summary = "Seconds that lxc-autostart waits after starting it."},
	{"lxc.start.order", &conf_int, FIELD(order), .preset = "0",
	 .summary = "lxc-autostart starts lower numbers earlier."},
	{"lxc.start.requires", &type_requires, FIELD(requires),
	 .summary = "Container that lxc-autostart starts before this one, and that must run, have a "
		    "network address, or be ready by then; may be given several times."},
	{"lxc.start.restart", &type_restart, FIELD(restart), .preset = "no",
	 .summary = "When its supervisor starts it again after it ended: on-failure: after an exit "
		    "status other than 0, a signal, or a start of this kind that failed, N times in "
		    "a row at most; always: after any end, also a poweroff inside. An end that was "
		    "asked for from outside (lxc-stop) is final. The first try comes after 0.1 s, "
		    "each further one after twice the time, 60 s at most; from the beginning again "
		    "once it ran for 10 s."},
	{"lxc.group", &conf_words, FIELD(groups),
	 .summary = "Groups of containers that this one belongs to."},
	{"lxc.ephemeral", &conf_bool, FIELD(ephemeral), .preset = "0",
	 .summary = "Destroy the container when it stops."},
	{"lxc.log.file", &conf_path, FIELD(log_file), .summary = "File that the log is added to."},
	{"lxc.log.level", &type_level, FIELD(log_level), .extra = levels,
	 .summary = "Least severity that is logged: TRACE, DEBUG, INFO, NOTICE, WARN, ERROR, CRIT, "
		    "ALERT, FATAL or 0 to 8; ERROR when it is not set."},
	{"lxc.log.syslog", &conf_choice, FIELD(log_syslog), .syntax = "daemon|local0..local7",
	 .extra = facilities,
	 .summary = "Log to the syslog daemon of the host, in this facility; to lxc.log.file, too, "
		    "when it is set."},
	{NULL},
};
const struct conf_section start_section = {"start", sizeof(struct start_conf), keys};

int start_open_log(const struct conf *c, const char *name, struct error *err)
{
	const struct start_conf *s = conf_of(c, &start_section);
	enum log_level level = s->log_level ? (enum log_level)s->log_level : LOG_ERROR;

	/* What was said on the command line wins over the configuration. */
	if (log_is_open())
		return 0;
	if (s->log_file && log_open(s->log_file, level, "lxcore", name, err) < 0)
		return error_within(err, "lxc.log.file, %s", conf_where(c, "lxc.log.file"));
	if (s->log_syslog && log_open_syslog(s->log_syslog, level, "lxcore", name, err) < 0)
		return error_within(err, "lxc.log.syslog, %s", conf_where(c, "lxc.log.syslog"));
	return 0;
}

bool start_is_ephemeral(const struct conf *c)
{
	const struct start_conf *s = conf_of(c, &start_section);

	return s->ephemeral;
}

const struct part part_start = {.name = "start", .section = &start_section};
