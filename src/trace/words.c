/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "words.h"

#include <string.h>

#include "../../bpf/record.h"

static const struct word why_words[] = {
	{ "unseen", WAIT_UNSEEN }, { "on_cpu", WAIT_ON_CPU }, { "blocked", WAIT_BLOCKED },
	{ "preempted", WAIT_PREEMPTED }, { "throttled", WAIT_THROTTLED }, { NULL, 0 },
};
static const struct word woken_words[] = {
	{ "not", WOKEN_NOT }, { "timer", WOKEN_TIMER }, { "task", WOKEN_TASK },
	{ "irq", WOKEN_IRQ }, { "new", WOKEN_NEW }, { NULL, 0 },
};
static const struct word timer_words[] = {
	{ "none", TIMER_NONE }, { "sleeper", TIMER_SLEEPER }, { "timerfd", TIMER_TIMERFD },
	{ "posix", TIMER_POSIX }, { "itimer", TIMER_ITIMER }, { "alarm", TIMER_ALARM },
	{ "jiffies", TIMER_JIFFIES }, { "go", TIMER_GO }, { NULL, 0 },
};
static const struct word goid_words[] = {
	{ "none", GOID_NONE }, { "scheduler", GOID_SCHEDULER }, { "parked", GOID_PARKED }, { NULL, 0 },
};
static const struct word cause_words[] = {
	{ "unseen", GO_UNSEEN }, { "readied", GO_READIED }, { "preempted", GO_PREEMPTED },
	{ "yielded", GO_YIELDED }, { "new", GO_NEW }, { "syscall", GO_SYSCALL },
	{ "netpoll", GO_NETPOLL }, { NULL, 0 },
};
static const struct word go_timer_words[] = {
	{ "none", GO_TIMER_NONE }, { "sleep", GO_TIMER_SLEEP }, { "timer", GO_TIMER_TIMER },
	{ "ticker", GO_TIMER_TICKER }, { "func", GO_TIMER_FUNC }, { "deadline", GO_TIMER_DEADLINE },
	{ NULL, 0 },
};
static const struct word level_words[] = {
	{ "off", GO_OFF }, { "snapshot", GO_SNAPSHOT }, { "light", GO_LIGHT }, { "full", GO_FULL },
	{ NULL, 0 },
};
static const struct word goword_words[] = {
	{ "reason", GO_WORD_REASON }, { "stw", GO_WORD_STW }, { NULL, 0 },
};
static const struct word hist_words[] = {
	{ "run", GO_HIST_RUN },
	{ "stw_stopping_gc", GO_HIST_STW_STOPPING_GC }, { "stw_stopping_other", GO_HIST_STW_STOPPING_OTHER },
	{ "stw_total_gc", GO_HIST_STW_TOTAL_GC }, { "stw_total_other", GO_HIST_STW_TOTAL_OTHER },
	{ NULL, 0 },
};
static const struct word syscall_words[] = {
	{ "fault", (uint64_t)SYSCALL_FAULT }, { "kernel", (uint64_t)SYSCALL_KERNEL },
	{ "compat", (uint64_t)SYSCALL_COMPAT }, { "unknown", (uint64_t)SYSCALL_UNKNOWN },
	{ NULL, 0 },
};
static const struct word futex_ret_words[] = { { "unknown", FUTEX_RET_UNKNOWN }, { NULL, 0 } };
static const struct word by_words[] = { { "slices", BY_SLICES }, { NULL, 0 } };
static const struct word flag_words[] = {
	{ "tracked", TASK_TRACKED }, { "kthread", TASK_KTHREAD }, { "forked", TASK_FORKED },
	{ "execed", TASK_EXECED }, { NULL, 0 },
};
static const struct word klock_words[] = {
	{ "spin", KLOCK_SPIN }, { "read", KLOCK_READ }, { "write", KLOCK_WRITE }, { "rt", KLOCK_RT },
	{ "percpu", KLOCK_PERCPU }, { "mutex", KLOCK_MUTEX }, { NULL, 0 },
};
static const struct word code_words[] = { { "kernel", TGID_KERNEL }, { NULL, 0 } };
static const struct word open_words[] = {
	{ "not", OPEN_NOT }, { "blocked", OPEN_BLOCKED }, { "woken", OPEN_WOKEN },
	{ "preempted", OPEN_PREEMPTED }, { "throttled", OPEN_THROTTLED }, { NULL, 0 },
};
static const struct word count_words[] = {
#define X(number, name, is_loss, help) { #name, number },
	COUNTS(X)
#undef X
	{ NULL, 0 },
};
static const struct word reason_words[] = {
	{ "duration", END_DURATION }, { "signal", END_SIGNAL }, { "target_exit", END_TARGET_EXIT },
	{ "command_exit", END_COMMAND_EXIT }, { "file_limit", END_FILE_LIMIT },
	{ "error", END_ERROR }, { "trigger", END_TRIGGER }, { NULL, 0 },
};

static const struct word_field word_fields[] = {
	{ REC_WAIT_KIND, "why", false, why_words },
	{ REC_WAIT_KIND, "woken_by", false, woken_words },
	{ REC_WAIT_KIND, "timer", false, timer_words },
	{ REC_WAIT_KIND, "syscall", false, syscall_words },
	{ REC_WAIT_KIND, "futex_ret", false, futex_ret_words },
	{ REC_WAIT_KIND, "by", false, by_words },
	{ REC_WAIT_KIND, "goid", false, goid_words },
	{ REC_MOVE_KIND, "by", false, by_words },
	{ REC_TASK_KIND, "flags", true, flag_words },
	{ REC_TASK_END_KIND, "syscall", false, syscall_words },
	{ REC_TASK_END_KIND, "open", false, open_words },
	{ REC_COUNT_KIND, "id", false, count_words },
	{ REC_OVERRUN_KIND, "timer", false, timer_words },
	{ REC_END_KIND, "reason", false, reason_words },
	{ REC_GO_KIND, "cause", false, cause_words },
	{ REC_GO_KIND, "timer", false, go_timer_words },
	{ REC_GOPROC_KIND, "level", false, level_words },
	{ REC_GOWORD_KIND, "word", false, goword_words },
	{ REC_GOHIST_KIND, "which", false, hist_words },
	{ REC_STACK_KIND, "tgid", false, code_words },
	{ REC_SYMBOL_KIND, "tgid", false, code_words },
	{ REC_KLOCK_KIND, "flags", true, klock_words },
	{ REC_KLOCK_KIND, "syscall", false, syscall_words },
};

const struct word_field *words_of(unsigned int kind, const char *field)
{
	for (size_t i = 0; i < sizeof(word_fields) / sizeof(word_fields[0]); i++)
		if (word_fields[i].kind == kind && strcmp(word_fields[i].field, field) == 0)
			return &word_fields[i];
	return NULL;
}
