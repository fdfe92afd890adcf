/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Init: the program that the container exists for, and what it finds when it starts: a session, the
 * console as its terminal, a directory, a user, and an environment with nothing of the host's in it.
 */
#include "parts/init.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/path.h"
#include "parts/init_program.h"

#include <grp.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

struct group_list {
	gid_t *v;
	size_t n;
};

struct init_conf {
	char *command, *execute, *cwd;
	unsigned uid, gid;
	struct group_list groups;
	struct strv environment, runtime, hooks; /* NAME=VALUE; NAME alone: not set here */
	int halt, reboot, stop, death;
};

/* ---- keys ---- */

/* A bare NAME takes the value that the reader of the configuration has.  That it has none matters
 * to a start only (see check), never to those who merely read. */
static int set_variable(void *field, const struct conf_key *key, const char *sub,
			const char *value, struct error *err)
{
	const char *here = strchr(value, '=') ? NULL : getenv(value);
	autofree char *whole = here ? str_printf("%s=%s", value, here) : strdup(value);

	if (*value == '=')
		return error_set(err, EINVAL, "\"%s\" is no variable; one is written NAME=VALUE or "
					      "NAME", value);
	if (!whole)
		return error_set(err, ENOMEM, "out of memory");
	return conf_list.set(field, key, sub, whole, err);
}

static void get_variables(const void *field, const struct conf_key *key, const char *sub,
			  struct buf *out)
{
	conf_list.get(field, key, sub, out);
}

static void clear_variables(void *field, const struct conf_key *key, const char *sub)
{
	conf_list.clear(field, key, sub);
}

static int set_groups(void *field, const struct conf_key *key, const char *sub, const char *value,
		      struct error *err)
{
	struct group_list *list = field;
	autostrv struct strv words = {0};
	gid_t *v;

	if (strv_split(&words, value, ", \t") < 0 || !words.n)
		return error_set(err, EINVAL, "\"%s\" is no list of group ids", value);
	v = realloc(list->v, (list->n + words.n) * sizeof(*v));
	if (!v)
		return error_set(err, ENOMEM, "out of memory");
	list->v = v;
	for (size_t i = 0; i < words.n; i++) {
		unsigned long long id;

		if (!str_to_u64(words.v[i], &id) || id >= UINT_MAX)
			return error_set(err, EINVAL, "\"%s\" is no group id", words.v[i]);
		v[list->n + i] = (gid_t)id;
	}
	list->n += words.n;
	return 0;
}

static void get_groups(const void *field, const struct conf_key *key, const char *sub,
		       struct buf *out)
{
	const struct group_list *list = field;

	for (size_t i = 0; i < list->n; i++)
		buf_addf(out, "%s%u", i ? "," : "", list->v[i]);
}

static void clear_groups(void *field, const struct conf_key *key, const char *sub)
{
	struct group_list *list = field;

	free(list->v);
	*list = (struct group_list){0};
}

static const struct conf_type type_variable = {"NAME=VALUE|NAME", set_variable, get_variables,
					       clear_variables, NULL};
static const struct conf_type type_groups = {"GID,GID...", set_groups, get_groups, clear_groups,
					     NULL};

#define FIELD(name) offsetof(struct init_conf, name)
static const struct conf_key keys[] = {
	{"lxc.init.cmd", &conf_string, FIELD(command), .syntax = "COMMAND",
	 .summary = "Program that is started first, with its arguments; /sbin/init when unset."},
	{"lxc.execute.cmd", &conf_string, FIELD(execute), .syntax = "COMMAND",
	 .summary = "What lxc-execute runs when no command is given."},
	{"lxc.init.cwd", &conf_path, FIELD(cwd),
	 .summary = "Working directory of init; made when it is missing."},
	{"lxc.init.uid", &conf_uint, FIELD(uid), .preset = "0",
	 .summary = "User id, inside, that init runs as."},
	{"lxc.init.gid", &conf_uint, FIELD(gid), .preset = "0",
	 .summary = "Group id, inside, that init runs as."},
	{"lxc.init.groups", &type_groups, FIELD(groups),
	 .summary = "Supplementary group ids of init."},
	{"lxc.environment", &type_variable, FIELD(environment),
	 .summary = "A variable for init, attached commands and hooks inside the container."},
	{"lxc.environment.runtime", &type_variable, FIELD(runtime),
	 .summary = "A variable for init and attached commands."},
	{"lxc.environment.hooks", &type_variable, FIELD(hooks),
	 .summary = "A variable for hooks inside the container."},
	{"lxc.signal.halt", &conf_signal, FIELD(halt),
	 .summary = "Signal that makes init shut down; unset: chosen by what init is."},
	{"lxc.signal.reboot", &conf_signal, FIELD(reboot),
	 .summary = "Signal that makes init reboot; unset: chosen by what init is."},
	{"lxc.signal.stop", &conf_signal, FIELD(stop),
	 .summary = "Signal that ends init at once; SIGKILL when unset."},
	{"lxc.monitor.signal.pdeath", &conf_signal, FIELD(death), .preset = "SIGKILL",
	 .summary = "Signal that init gets when its supervisor dies; 0: none."},
	{NULL},
};
static const struct conf_section section = {"init", sizeof(struct init_conf), keys};

/* ---- questions ---- */

int init_death_signal(const struct conf *c)
{
	const struct init_conf *s = conf_of(c, &section);

	return s->death;
}

int init_stop_signal(const struct conf *c)
{
	const struct init_conf *s = conf_of(c, &section);

	return s->stop ? s->stop : SIGKILL;
}

int init_configured_signal(const struct conf *c, bool reboot)
{
	const struct init_conf *s = conf_of(c, &section);

	return reboot ? s->reboot : s->halt;
}

bool init_is_custom(const struct boot *b)
{
	const struct init_conf *s = conf_of(b->conf, &section);

	return b->command || b->execute || s->command;
}

void init_ids(const struct conf *c, uid_t *ret_uid, gid_t *ret_gid)
{
	const struct init_conf *s = conf_of(c, &section);

	*ret_uid = s->uid;
	*ret_gid = s->gid;
}

/* A later setting of the same variable takes the place of the earlier one. */
static int put_variable(struct strv *env, const char *variable)
{
	size_t n = strcspn(variable, "=") + 1;

	for (size_t i = env->n; i-- > 0;)
		if (strncmp(env->v[i], variable, n) == 0)
			strv_remove(env, i);
	return strv_add(env, variable);
}

int init_environment(const struct conf *c, struct strv *out)
{
	const struct init_conf *s = conf_of(c, &section);
	const struct strv *lists[] = {&s->environment, &s->runtime};

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			if (strchr(lists[l]->v[i], '=') && put_variable(out, lists[l]->v[i]) < 0)
				return -1;
	return put_variable(out, "container=lxc");
}

/* The command line as init or, with 'execute', our small init will see it. */
static int command_of(const struct boot *b, struct strv *argv, struct error *err)
{
	const struct init_conf *s = conf_of(b->conf, &section);
	const char *text = b->execute && s->execute ? s->execute : s->command;
	int result = 0;

	for (size_t i = 0; b->command && b->command[i] && result == 0; i++)
		result = strv_add(argv, b->command[i]);
	if (!b->command && text)
		result = strv_split_quoted(argv, text);
	else if (!b->command && !b->execute)
		result = strv_add(argv, "/sbin/init");
	if (result < 0)
		return error_set(err, ENOMEM, "out of memory");
	if (argv->n)
		return 0;
	error_set(err, EINVAL, "there is no command to execute");
	return error_mend(err, "lxc-execute -n %s -- COMMAND      (or set lxc.execute.cmd)", b->name);
}

/* ---- check ---- */

static int check_variables(const struct boot *b, const struct strv *list, const char *key,
			   struct error *err)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strchr(list->v[i], '='))
			continue;
		error_set(err, ENOENT, "variable %s is not set here (%s, %s)", list->v[i], key,
			  conf_where(b->conf, key));
		return error_mend(err, "%s = %s=VALUE", key, list->v[i]);
	}
	return 0;
}

/* Without a root filesystem of its own its /sbin/init is the host's, which would boot the host anew on
 * the host's files: empty its /tmp, start its services twice. */
static int refuse_init_of_host(const struct boot *b, struct error *err)
{
	const struct init_conf *s = conf_of(b->conf, &section);
	autobuf struct buf rootfs = BUF_INIT;

	conf_get(b->conf, "lxc.rootfs.path", &rootfs, NULL);
	if (rootfs.len || b->command || b->execute || s->command)
		return 0;
	error_set(err, EINVAL, "it has no root filesystem of its own (lxc.rootfs.path), and /sbin/init "
			       "would boot the host's system once more on the host's files");
	return error_mend(err, "lxc-execute -n %s -- COMMAND      (run one command beside the host's "
			       "files)\nlxc.init.cmd = COMMAND", b->name);
}

static int check(const struct boot *b, struct error *err)
{
	const struct init_conf *s = conf_of(b->conf, &section);
	autostrv struct strv argv = {0};

	if (check_variables(b, &s->environment, "lxc.environment", err) < 0 ||
	    check_variables(b, &s->runtime, "lxc.environment.runtime", err) < 0 ||
	    check_variables(b, &s->hooks, "lxc.environment.hooks", err) < 0)
		return -1;
	if (refuse_init_of_host(b, err) < 0)
		return -1;
	/* Whether the root filesystem has the program is the rootfs part's question. */
	return command_of(b, &argv, err);
}

/* ---- prepare, seal ---- */

static int prepare(struct boot *b, struct error *err)
{
	b->own_init = program_copy_own_init(err);
	return b->own_init < 0 ? -1 : 0;
}

static int seal(struct boot *b, struct error *err)
{
	if (b->own_init > 0)
		close(b->own_init);
	b->own_init = 0;
	return 0;
}

static void release(const struct release *r)
{
	if (r->boot)
		seal(r->boot, NULL);
}

/* ---- enter ---- */

/*
 * What init gets for a descriptor that nothing else is meant for: its own null device.  The one that we
 * have is the host's, and its mode and owner could be changed through it.
 */
static int open_null(const struct boot *b)
{
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int fd = path_open_in(root, "dev/null", O_RDWR | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;

	if (b->has_rootfs && fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
	    st.st_rdev == makedev(1, 3))
		return steal_fd(&fd);
	return -1;
}

/*
 * A shell as first process wants a terminal that C-c and job control work on.  A system's init must not
 * have it: the console's getty is to get it, and could take it from init only with a capability of the
 * host's, which nobody has in a user namespace.
 */
static bool wants_terminal(const struct boot *b)
{
	autostrv struct strv argv = {0};
	const char *slash;

	/* Our small init gives the terminal to the session of its command instead. */
	if (b->execute || command_of(b, &argv, NULL) < 0)
		return false;
	slash = strrchr(argv.v[0], '/');
	return strcmp(slash ? slash + 1 : argv.v[0], "init") != 0;
}

static int take_terminal(struct boot *b, struct error *err)
{
	autoclose int null = b->console < 0 ? open_null(b) : -1;
	int from[3];

	/* First out of the way of 0, 1, 2, among which the given ones may be. */
	for (int i = 0; i < 3; i++) {
		int given = b->std_fds[i] >= 0 ? b->std_fds[i] : b->console >= 0 ? b->console : null;

		from[i] = given < 0 ? -1 : fcntl(given, F_DUPFD_CLOEXEC, 3);
		if (given >= 0 && from[i] < 0)
			return error_sys(err, "cannot give init its standard descriptors");
	}
	for (int i = 0; i < 3; i++) {
		if (from[i] >= 0 && dup2(from[i], i) < 0)
			return error_sys(err, "cannot give init its standard descriptors");
		close_fd(&from[i]);
	}
	if (setsid() < 0 && errno != EPERM)
		return error_sys(err, "cannot make a session for init");
	if (b->console >= 0 && b->std_fds[0] < 0 && wants_terminal(b) &&
	    ioctl(b->console, TIOCSCTTY, 0) < 0 && errno != EPERM)
		return error_sys(err, "cannot make the console init's terminal");
	return 0;
}

static int enter_directory(const struct init_conf *s, struct error *err)
{
	autoclose int root = -1, dir = -1;

	if (!s->cwd)
		return chdir("/") < 0 ? error_sys(err, "cannot enter \"/\"") : 0;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	dir = root < 0 ? -1 : path_make_dir_in(root, s->cwd, 0755);
	if (dir < 0 || fchdir(dir) < 0)
		return error_sys(err, "cannot make and enter \"%s\" inside (lxc.init.cwd)", s->cwd);
	return 0;
}

static int become_user(struct boot *b, const struct init_conf *s, struct error *err)
{
	/* Without an id map nobody has yet left the groups of whoever started the container. */
	if ((s->groups.n || !b->userns) && setgroups(s->groups.n, s->groups.v) < 0 &&
	    (s->groups.n || errno != EPERM))
		return error_sys(err, "cannot set the groups of init (lxc.init.groups)");
	if (s->gid && setresgid(s->gid, s->gid, s->gid) < 0)
		return error_sys(err, "cannot become group %u (lxc.init.gid)", s->gid);
	if (s->uid && setresuid(s->uid, s->uid, s->uid) < 0)
		return error_sys(err, "cannot become user %u (lxc.init.uid)", s->uid);
	return 0;
}

static int enter(struct boot *b, struct error *err)
{
	const struct init_conf *s = conf_of(b->conf, &section);

	if (take_terminal(b, err) < 0 || enter_directory(s, err) < 0)
		return -1;
	return become_user(b, s, err);
}

/* ---- the last step ---- */

static void restore_signals(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	/* What is ignored stays ignored over an execve; nohup lxc-start must not make init deaf. */
	for (int n = 1; n <= SIGRTMAX; n++)
		sigaction(n, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Our small init has the label of the program, by which a domain is entered or not (SELinux). */
static int not_entered(const struct boot *b, const char *program, struct error *err)
{
	autobuf struct buf context = BUF_INIT;
	int why = errno;

	conf_get(b->conf, "lxc.selinux.context", &context, NULL);
	errno = why;
	if (why != EACCES || !context.len)
		return error_sys(err, "cannot run our small init, through which init is executed");
	error_set(err, why, "cannot run \"%s\" in SELinux context \"%s\": the policy does not let the "
		  "context be entered by a file with the label of that (lxc.selinux.context)", program,
		  context.s);
	return error_mend(err, "ls -Z      (shows its label; lxc.selinux.context.rootfs gives all "
			       "files theirs, but not where the root directory has it already)");
}

static int exec_own_init(struct boot *b, struct strv *command, struct strv *env, struct error *err)
{
	autostrv struct strv argv = {0};
	char *program = program_find(command->v[0], env, err);

	if (!program)
		return -1;
	free(command->v[0]);
	command->v[0] = program;
	if (strv_add(&argv, "init.lxc") < 0 || strv_add(&argv, "--") < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < command->n; i++)
		if (strv_add(&argv, command->v[i]) < 0)
			return error_set(err, ENOMEM, "out of memory");
	syscall(SYS_execveat, b->own_init, "", argv.v, env->v, AT_EMPTY_PATH);
	return error_sys(err, "cannot run our small init");
}

int init_exec_failed(const struct boot *b, int code, struct error *err)
{
	autostrv struct strv argv = {0};

	return program_explain(command_of(b, &argv, NULL) == 0 ? argv.v[0] : "init", code, err);
}

int init_exec(struct boot *b, int report, struct error *err)
{
	autostrv struct strv argv = {0}, env = {0};
	autofree char *program = NULL;

	if (command_of(b, &argv, err) < 0)
		return -1;
	if (init_environment(b->conf, &env) < 0 ||
	    (b->container_ttys && !b->execute &&
	     strv_take(&env, str_printf("container_ttys=%s", b->container_ttys)) < 0))
		return error_set(err, ENOMEM, "out of memory");
	restore_signals();
	/* A change of user took it back (prctl(2)). */
	prctl(PR_SET_PDEATHSIG, init_death_signal(b->conf));
	if (b->execute) {
		syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
		return exec_own_init(b, &argv, &env, err);
	}
	program = program_find(argv.v[0], &env, err);
	if (!program || program_check(program, err) < 0)
		return -1;
	proc_exec_through(b->own_init, "-", report, program, argv.v, env.v);
	return not_entered(b, program, err);
}

const struct part part_init = {
	.name = "init",
	.section = &section,
	.check = check,
	.prepare = prepare,
	.enter = enter,
	.seal = seal,
	.release = release,
};
