/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the kernel offers, and to whom. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "../base/err.h"
#include "../collect/cgroup.h"
#include "../collect/features.h"
#include "../collect/probe.h"
#include "../collect/probe_doctor.h"
#include "../collect/tracefs.h"
#include "doctor.h"

#define NEEDS_CAPS "needs CAP_BPF and CAP_PERFMON: run with sudo"

static void kernel(struct doctor *d, const struct check *c)
{
	struct utsname u = {};

	uname(&u);
	doctor_say(d, c, DOCTOR_OK, "Linux %s %s", u.release, u.machine);
}

static void btf(struct doctor *d, const struct check *c)
{
	static const char path[] = "/sys/kernel/btf/vmlinux";
	struct stat st;

	if (stat(path, &st))
		doctor_say(d, c, DOCTOR_PROBLEM, "%s: %s", path, err_name(errno));
	else
		doctor_say(d, c, DOCTOR_OK, "%s, %jd KiB", path, (intmax_t)st.st_size / 1024);
}

/* Numbers of include/uapi/linux/capability.h; `needed` ones may be replaced by SYS_ADMIN. */
static const struct {
	const char *name;
	unsigned int bit;
	bool needed;
} caps[] = {
	{"CAP_BPF", 39, true}, {"CAP_PERFMON", 38, true}, {"CAP_SYS_ADMIN", 21, false},
	{"CAP_SYS_PTRACE", 19, false}, {"CAP_SYS_RESOURCE", 24, false},
};

enum { CAP_CNT = sizeof(caps) / sizeof(caps[0]) };

static uint64_t effective_caps(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	uint64_t mask = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %" SCNx64, &mask) == 1)
			break;
	if (f)
		fclose(f);
	return mask;
}

static void capabilities(struct doctor *d, const struct check *c)
{
	uint64_t mask = effective_caps();
	char has[160] = "", lacks[160] = "";
	bool enough = true;

	for (size_t i = 0; i < CAP_CNT; i++) {
		char *list = mask >> caps[i].bit & 1 ? has : lacks;
		size_t at = strlen(list);

		snprintf(list + at, 160 - at, "%s%s", at ? " " : "", caps[i].name);
		enough &= !caps[i].needed || mask >> caps[i].bit & 1 || mask >> 21 & 1;
	}
	doctor_say(d, c, enough ? DOCTOR_OK : DOCTOR_PROBLEM, "has %s%s%s", *has ? has : "none",
		   *lacks ? "; lacks " : "", lacks);
}

static void lockdown(struct doctor *d, const struct check *c)
{
	char line[128];

	if (!doctor_read(line, sizeof(line), "/sys/kernel/security/lockdown"))
		doctor_say(d, c, DOCTOR_OK, "none");
	else if (strstr(line, "[confidentiality]"))
		doctor_say(d, c, DOCTOR_PROBLEM, "%s: BPF must not read the kernel's memory", line);
	else
		doctor_say(d, c, DOCTOR_OK, "%s", line);
}

static void unprivileged(struct doctor *d, const struct check *c)
{
	char line[16];

	if (!doctor_read(line, sizeof(line), "/proc/sys/kernel/unprivileged_bpf_disabled"))
		snprintf(line, sizeof(line), "not known");
	doctor_say(d, c, DOCTOR_OK, "kernel.unprivileged_bpf_disabled is %s (wakelag needs capabilities either way)",
		   line);
}

static void ring(struct doctor *d, const struct check *c)
{
	int err = probe_try_ring();

	if (err)
		doctor_say(d, c, DOCTOR_PROBLEM, "cannot be made: %s", err_name(err));
	else
		doctor_say(d, c, DOCTOR_OK, "can be made");
}

static void storage(struct doctor *d, const struct check *c)
{
	struct features f = features_of_kernel();

	if (f.task_storage)
		doctor_say(d, c, DOCTOR_OK, "task storage");
	else
		doctor_say(d, c, DOCTOR_NOTE, "a hash keyed by task: the kernel has no task storage that will do");
}

struct trials {
	struct doctor *d;
	const struct check *check;
	unsigned int good;
	bool refused;
};

static bool tell_program(void *ctx, const struct probe_trial *t)
{
	static const char verifier[] = "WAKELAG_LIBBPF_DEBUG=1 wakelag doctor shows why the kernel refuses it;"
				       " please report it";
	struct trials *all = ctx;
	struct check c = *all->check;

	if (t->err == -EPERM || t->err == -EACCES) {
		all->refused = true;
		doctor_say(all->d, &c, DOCTOR_PROBLEM, "%s: %s; the others were not tried", t->name, err_name(t->err));
		return false;
	}
	c.remedy = verifier;
	if (t->err)
		doctor_say(all->d, &c, DOCTOR_PROBLEM, "%s: cannot be loaded: %s", t->name, err_name(t->err));
	if (t->err)
		return true;
	c.remedy = strncmp(t->name, "tp/", 3) ? NULL : "see tracefs";
	if (t->has_event)
		doctor_say(all->d, &c, DOCTOR_OK, "%s", t->name);
	else
		doctor_say(all->d, &c, DOCTOR_ABSENT, "%s: nothing to attach to here", t->name);
	all->good += t->has_event;
	return true;
}

static void programs(struct doctor *d, const struct check *c)
{
	struct trials all = {.d = d, .check = c};
	int err = probe_try_programs(tell_program, &all);

	if (err)
		doctor_say(d, c, DOCTOR_PROBLEM, "cannot be tried: %s", err_name(err));
}

static void ignore_absent(void *ctx, const char *what, const char *why)
{
	(void)ctx;
	(void)what;
	(void)why;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* All of them at once, attached: records flow only after probe_start(). */
static void attach(struct doctor *d, const struct check *c)
{
	struct probe_opts opts = {.ring_bytes = 1 << 20, .config.stacks = true};
	struct probe *p = NULL;
	double begin = now_ms();
	int err;

	if (d->cnt[DOCTOR_PROBLEM])	/* said above; this would say it again */
		return;
	err = probe_open(&opts, ignore_absent, NULL, &p);
	if (!err)
		err = probe_attach(p);
	if (err)
		doctor_say(d, c, DOCTOR_PROBLEM, "all together: %s", err_name(err));
	else
		doctor_say(d, c, DOCTOR_OK, "all together loaded and attached in %.0f ms", now_ms() - begin);
	probe_close(p);
}

static void tracefs(struct doctor *d, const struct check *c)
{
	int id = tracefs_event_id("syscalls/sys_exit_futex");

	if (id > 0)
		doctor_say(d, c, DOCTOR_OK, "futex tracepoints can be used");
	else
		doctor_say(d, c, DOCTOR_ABSENT, "futex tracepoints cannot be used: %s; futex_eagain is not counted",
			   err_name(id));
}

static void cgroups(struct doctor *d, const struct check *c)
{
	char dir[256] = "", controllers[256] = "";
	bool v2 = cgroup_mount(false, dir, sizeof(dir));

	if (v2)
		doctor_read(controllers, sizeof(controllers), "%s/cgroup.controllers", dir);
	if (cgroup_cpu_is_v1())
		doctor_say(d, c, DOCTOR_OK, "the cpu controller is on v1%s%s", v2 ? "; v2 at " : "", dir);
	else if (v2 && strstr(controllers, "cpu"))
		doctor_say(d, c, DOCTOR_OK, "v2 at %s, with the cpu controller", dir);
	else if (v2)
		doctor_say(d, c, DOCTOR_NOTE, "v2 at %s, without the cpu controller: no quota is told", dir);
	else
		doctor_say(d, c, DOCTOR_NOTE, "none mounted: no --cgroup, no quota is told");
}

static void hz(struct doctor *d, const struct check *c)
{
	char value[16];

	if (!doctor_config("CONFIG_HZ", value, sizeof(value)) || atoi(value) <= 0)
		doctor_say(d, c, DOCTOR_OK, "not known: no /proc/config.gz, no /boot/config-*");
	else
		doctor_say(d, c, DOCTOR_OK, "%s: a busy CPU looks for others every %d us", value, 1000000 / atoi(value));
}

static void hrtimers(struct doctor *d, const struct check *c)
{
	struct timespec res;

	if (clock_getres(CLOCK_MONOTONIC, &res) || res.tv_sec || res.tv_nsec > 1)
		doctor_say(d, c, DOCTOR_NOTE, "off: timers fire at ticks only");
	else
		doctor_say(d, c, DOCTOR_OK, "on");
}

static void tickless(struct doctor *d, const struct check *c)
{
	static const struct {
		const char *option, *text;
	} modes[] = {
		{"CONFIG_NO_HZ_FULL", "idle CPUs, and those of nohz_full"},
		{"CONFIG_NO_HZ_IDLE", "idle CPUs"},
		{"CONFIG_HZ_PERIODIC", "none: every CPU ticks"},
	};
	char value[16], full[128] = "";

	if (!doctor_read(full, sizeof(full), "/sys/devices/system/cpu/nohz_full") || strstr(full, "null"))
		*full = '\0';
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!doctor_config(modes[i].option, value, sizeof(value)) || strcmp(value, "y"))
			continue;
		doctor_say(d, c, DOCTOR_OK, "%s%s%s", modes[i].text, *full ? ": CPUs " : "", full);
		return;
	}
	doctor_say(d, c, DOCTOR_OK, "not known: no /proc/config.gz, no /boot/config-*");
}

/* "none voluntary (full) lazy" of debugfs, else what the kernel was built with. */
static void preemption(struct doctor *d, const struct check *c)
{
	static const struct {
		const char *option, *text;
	} models[] = {
		{"CONFIG_PREEMPT_RT", "real time"}, {"CONFIG_PREEMPT_LAZY", "lazy"}, {"CONFIG_PREEMPT", "full"},
		{"CONFIG_PREEMPT_VOLUNTARY", "voluntary"}, {"CONFIG_PREEMPT_NONE", "none"},
	};
	char value[128], *at;
	const char *model = NULL;

	if (doctor_read(value, sizeof(value), "/sys/kernel/debug/sched/preempt") && (at = strchr(value, '('))) {
		at[strcspn(at, ")")] = '\0';
		doctor_say(d, c, DOCTOR_OK, "%s", at + 1);
		return;
	}
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]) && !model; i++)
		if (doctor_config(models[i].option, value, sizeof(value)) && !strcmp(value, "y"))
			model = models[i].text;
	doctor_say(d, c, DOCTOR_OK, "%s%s", model ? "built for: " : "not known", model ? model : "");
}

const struct check kernel_checks[] = {
	{"kernel", kernel, NULL},
	{"BTF", btf, "needs a kernel built with CONFIG_DEBUG_INFO_BTF=y (Debian's are, from 5.10 on)"},
	{"capabilities", capabilities, NEEDS_CAPS},
	{"lockdown", lockdown, "boot without lockdown=confidentiality (integrity will do)"},
	{"BPF for users", unprivileged, NULL},
	{"ring buffer", ring, NEEDS_CAPS "; needs a kernel from 5.8 on"},
	{"task state", storage, "nothing to do; wakeups cost some 50 ns more than from 5.15 on"},
	{"program", programs, NEEDS_CAPS},
	{"attach", attach, "please report it, with the output of WAKELAG_LIBBPF_DEBUG=1 wakelag doctor"},
	{"tracefs", tracefs, "run as root, or let the user read it: mount -o remount,mode=755 /sys/kernel/tracing"},
	{"cgroups", cgroups, "mount -t cgroup2 none /sys/fs/cgroup"},
	{"HZ", hz, NULL},
	{"hrtimers", hrtimers, "boot without highres=off, on a kernel with CONFIG_HIGH_RES_TIMERS=y"},
	{"tickless", tickless, NULL},
	{"preemption", preemption, NULL},
	{NULL, NULL, NULL},
};
