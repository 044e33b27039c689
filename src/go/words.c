/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stddef.h>

#include "layouts.h"
#include "runtime.h"

enum { FIRST = GO_MINOR_FIRST, LAST = GO_MINOR_LAST };

/*
 * The texts in their order, with the versions (1.first to 1.last) that have them: a number counts those of
 * its version that come before. From waitReasonStrings (Go: src/runtime/runtime2.go) and stwReasonStrings
 * (src/runtime/proc.go) of each version.
 */
struct word {
	const char *text;	/* NULL: a number without a text */
	int first, last;
};

static const struct word reasons[] = {
	{NULL, FIRST, LAST},
	{"GC assist marking", FIRST, LAST},
	{"IO wait", FIRST, LAST},
	{"chan receive (nil chan)", FIRST, 25},
	{"chan send (nil chan)", FIRST, 25},
	{"dumping heap", FIRST, LAST},
	{"garbage collection", FIRST, LAST},
	{"garbage collection scan", FIRST, LAST},
	{"panicwait", FIRST, LAST},
	{"select", FIRST, 25},
	{"select (no cases)", FIRST, 25},
	{"GC assist wait", FIRST, LAST},
	{"GC sweep wait", FIRST, LAST},
	{"GC scavenge wait", FIRST, LAST},
	{"chan receive", FIRST, 25},
	{"chan send", FIRST, 25},
	{"finalizer wait", FIRST, LAST},
	{"force gc (idle)", FIRST, LAST},
	{"GOMAXPROCS updater (idle)", 25, LAST},
	{"semacquire", FIRST, LAST},
	{"sleep", FIRST, LAST},
	{"chan receive (nil chan)", 26, LAST},
	{"chan send (nil chan)", 26, LAST},
	{"select (no cases)", 26, LAST},
	{"select", 26, LAST},
	{"chan receive", 26, LAST},
	{"chan send", 26, LAST},
	{"sync.Cond.Wait", FIRST, LAST},
	{"sync.Mutex.Lock", 20, LAST},
	{"sync.RWMutex.RLock", 20, LAST},
	{"sync.RWMutex.Lock", 20, LAST},
	{"sync.WaitGroup.Wait", 24, LAST},
	{"timer goroutine (idle)", FIRST, 19},
	{"trace reader (blocked)", FIRST, LAST},
	{"wait for GC cycle", FIRST, LAST},
	{"GC worker (idle)", FIRST, LAST},
	{"GC worker (active)", 20, LAST},
	{"preempted", FIRST, LAST},
	{"debug call", FIRST, LAST},
	{"GC mark termination", 20, LAST},
	{"stopping the world", 20, LAST},
	{"flushing proc caches", 22, LAST},
	{"trace goroutine status", 22, LAST},
	{"trace proc status", 22, LAST},
	{"page trace flush", 22, LAST},
	{"coroutine", 22, LAST},
	{"GC weak to strong wait", 23, LAST},
	{"synctest.Run", 24, LAST},
	{"synctest.Wait", 24, LAST},
	{"chan receive (synctest)", 24, 24},
	{"chan send (synctest)", 24, 24},
	{"select (synctest)", 24, 24},
	{"chan receive (durable)", 25, LAST},
	{"chan send (durable)", 25, LAST},
	{"select (durable)", 25, LAST},
	{"sync.WaitGroup.Wait (durable)", 25, LAST},
	{"cleanup wait", 25, LAST},
};

static const struct word stops[] = {
	{"unknown", 21, LAST},
	{"GC mark termination", 21, LAST},
	{"GC sweep termination", 21, LAST},
	{"write heap dump", 21, LAST},
	{"goroutine profile", 21, LAST},
	{"goroutine profile cleanup", 21, LAST},
	{"all goroutines stack trace", 21, LAST},
	{"read mem stats", 21, LAST},
	{"AllThreadsSyscall", 21, LAST},
	{"GOMAXPROCS", 21, LAST},
	{"start trace", 21, LAST},
	{"stop trace", 21, LAST},
	{"CountPagesInUse (test)", 21, LAST},
	{"ReadMetricsSlow (test)", 21, LAST},
	{"ReadMemStatsSlow (test)", 21, LAST},
	{"PageCachePagesLeaked (test)", 21, LAST},
	{"ResetDebugLog (test)", 21, LAST},
};

static const struct {
	const struct word *words;
	size_t cnt;
} lists[] = {
	[GO_WORD_REASON] = {reasons, sizeof(reasons) / sizeof(*reasons)},
	[GO_WORD_STW] = {stops, sizeof(stops) / sizeof(*stops)},
};

const char *go_runtime_word(const struct go_binary *b, enum go_word word, uint32_t number)
{
	int minor = go_binary_build(b)->minor;
	uint32_t next = 0;

	if (minor < FIRST || minor > LAST)
		minor = LAST;
	for (size_t i = 0; i < lists[word].cnt; i++) {
		const struct word *w = &lists[word].words[i];

		if (minor >= w->first && minor <= w->last && next++ == number)
			return w->text;
	}
	return NULL;
}
