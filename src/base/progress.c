/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "progress.h"

#include <inttypes.h>
#include <time.h>

#include "clock.h"
#include "err.h"

enum { FIRST_NS = 1000000000, NEXT_NS = 250000000 };

void progress_begin(struct progress *p, const char *what, uint64_t whole)
{
	*p = (struct progress){.what = what, .whole = whole, .begun_ns = now_ns()};
}

void progress_at(struct progress *p, uint64_t done)
{
	uint64_t now = p->whole && done && done <= p->whole ? now_ns() : 0;

	if (!now || now - p->begun_ns < FIRST_NS || now - p->drawn_ns < NEXT_NS)
		return;
	p->drawn_ns = now;
	double left_s = (double)(now - p->begun_ns) / 1e9 * (double)(p->whole - done) / (double)done;

	talk_progress("%s: %.0f%%, %.0fs left", p->what, 100.0 * (double)done / (double)p->whole, left_s);
}

void progress_end(const struct progress *p)
{
	if (p->drawn_ns)
		talk_progress("%s", "");
}
