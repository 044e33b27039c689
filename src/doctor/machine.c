/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What of the machine makes threads late, or measuring it dear. */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../collect/facts.h"
#include "doctor.h"

static void cpus(struct doctor *d, const struct check *c)
{
	char isolated[128] = "";

	doctor_read(isolated, sizeof(isolated), "/sys/devices/system/cpu/isolated");
	doctor_say(d, c, DOCTOR_OK, "%ld online%s%s", sysconf(_SC_NPROCESSORS_ONLN), *isolated ? "; isolated: " : "",
		   isolated);
}

static void clocksource(struct doctor *d, const struct check *c)
{
	static const char *const fast[] = {"tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page"};
	char name[64];

	if (!doctor_read(name, sizeof(name), "/sys/devices/system/clocksource/clocksource0/current_clocksource")) {
		doctor_say(d, c, DOCTOR_OK, "not known");
		return;
	}
	for (size_t i = 0; i < sizeof(fast) / sizeof(fast[0]); i++) {
		if (strcmp(name, fast[i]))
			continue;
		doctor_say(d, c, DOCTOR_OK, "%s", name);
		return;
	}
	doctor_say(d, c, DOCTOR_NOTE, "%s: each time stamp may take microseconds", name);
}

/* Of the calling thread: what a program started from here inherits. */
static void timer_slack(struct doctor *d, const struct check *c)
{
	int ns = prctl(PR_GET_TIMERSLACK);

	doctor_say(d, c, ns > 50000 ? DOCTOR_NOTE : DOCTOR_OK, "%d ns for programs started here", ns);
}

/* The slowest idle state of CPU 0 that is not disabled. */
static void idle_states(struct doctor *d, const struct check *c)
{
	char name[32], deepest[32] = "", text[32];
	long worst = -1;

	for (int i = 0; i < 16; i++) {
		static const char dir[] = "/sys/devices/system/cpu/cpu0/cpuidle";

		if (!doctor_read(name, sizeof(name), "%s/state%d/name", dir, i) ||
		    !doctor_read(text, sizeof(text), "%s/state%d/latency", dir, i))
			break;
		long us = atol(text);

		if (us <= worst || (doctor_read(text, sizeof(text), "%s/state%d/disable", dir, i) && atoi(text)))
			continue;
		worst = us;
		snprintf(deepest, sizeof(deepest), "%s", name);
	}
	if (worst < 0)
		doctor_say(d, c, DOCTOR_OK, "no cpuidle driver%s",
			   facts_has_hypervisor() ? ": the host decides how deep an idle CPU sleeps" : "");
	else
		doctor_say(d, c, worst >= 50 ? DOCTOR_NOTE : DOCTOR_OK, "the deepest is %s: %ld us to wake up",
			   deepest, worst);
}

static void governor(struct doctor *d, const struct check *c)
{
	char name[32];

	if (!doctor_read(name, sizeof(name), "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))
		doctor_say(d, c, DOCTOR_OK, "no cpufreq driver");
	else
		doctor_say(d, c, strcmp(name, "performance") ? DOCTOR_NOTE : DOCTOR_OK, "governor %s%s", name,
			   strcmp(name, "performance") ? ": a CPU that was idle starts slowly" : "");
}

static void steal(struct doctor *d, const struct check *c)
{
	unsigned long long ticks = 0;
	char line[256];

	if (!facts_has_hypervisor()) {
		doctor_say(d, c, DOCTOR_OK, "no hypervisor");
		return;
	}
	/* cpu user nice system idle iowait irq softirq steal */
	if (doctor_read(line, sizeof(line), "/proc/stat"))
		sscanf(line, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &ticks);
	double seconds = (double)ticks / (double)sysconf(_SC_CLK_TCK);

	doctor_say(d, c, ticks ? DOCTOR_NOTE : DOCTOR_OK, "virtual machine; the host took %.1f s of CPU since boot",
		   seconds);
}

static void rt_throttling(struct doctor *d, const struct check *c)
{
	char runtime[32], period[32];

	if (!doctor_read(runtime, sizeof(runtime), "/proc/sys/kernel/sched_rt_runtime_us") ||
	    !doctor_read(period, sizeof(period), "/proc/sys/kernel/sched_rt_period_us"))
		doctor_say(d, c, DOCTOR_OK, "not known");
	else if (atol(runtime) < 0)
		doctor_say(d, c, DOCTOR_OK, "off: real-time threads may take all of a CPU");
	else
		doctor_say(d, c, DOCTOR_OK, "real-time threads get at most %s of each %s us of a CPU", runtime, period);
}

const struct check machine_checks[] = {
	{"CPUs", cpus, NULL},
	{"clocksource", clocksource,
	 "see /sys/devices/system/clocksource/clocksource0/available_clocksource; tsc=reliable at boot, if it is"},
	{"timer slack", timer_slack, "prctl(PR_SET_TIMERSLACK, 1) in the program; a real-time policy has none"},
	{"idle states", idle_states, "0 written to /dev/cpu_dma_latency, and kept open, keeps CPUs out of them"},
	{"CPU frequency", governor, "cpupower frequency-set -g performance"},
	{"steal", steal, "blame 'steal' says whom it hit; a dedicated or less loaded host has none"},
	{"RT throttling", rt_throttling, NULL},
	{NULL, NULL, NULL},
};
