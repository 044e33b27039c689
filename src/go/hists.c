/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The histograms that the runtime keeps itself. */
#include "snapshot.h"

#define HISTS(X) \
	X(sched_timeToRun, GO_HIST_RUN) \
	X(sched_stwStoppingTimeGC, GO_HIST_STW_STOPPING_GC) \
	X(sched_stwStoppingTimeOther, GO_HIST_STW_STOPPING_OTHER) \
	X(sched_stwTotalTimeGC, GO_HIST_STW_TOTAL_GC) \
	X(sched_stwTotalTimeOther, GO_HIST_STW_TOTAL_OTHER)

static const struct {
	size_t offset;		/* in struct go_layout */
	enum go_hist which;
} hists[] = {
#define X(field, which) {offsetof(struct go_layout, field), which},
	HISTS(X)
#undef X
};

_Static_assert(sizeof(hists) / sizeof(*hists) == GO_HIST_CNT, "all of them");

static uint16_t offset_at(const struct go_layout *at, size_t where)
{
	uint16_t offset;

	memcpy(&offset, (const char *)at + where, sizeof(offset));
	return offset;
}

int go_snap_read_hists(struct go_snap *s)
{
	const struct go_layout *at = &s->r->runtime->layout;
	uint64_t sched = s->r->runtime->globals.sched;
	uint32_t cnt = go_runtime_hist_cnt(at);
	int err = 0;

	for (size_t i = 0; i < GO_HIST_CNT && !err && cnt <= GO_HIST_MAX; i++) {
		uint16_t offset = offset_at(at, hists[i].offset);

		if (offset == GO_NO_OFFSET)
			continue;
		err = read_global(s->r, sched + offset, s->hists[i].counts, cnt * 8);
		s->hists[i].is_read = !err;
	}
	return err;
}

/* What the buckets grew by. Each is written by itself: a count that fell is a read that went wrong. */
static int give_hist(struct go_snap *s, size_t no, go_put put, void *ctx)
{
	const struct go_hist_counts *now = &s->hists[no];
	struct go_hist_counts *last = &s->kept->hists[no];
	int err = 0;

	for (uint32_t i = 0; i < GO_HIST_MAX && last->is_read && !err; i++) {
		struct rec_gohist rec = {
			.hdr = {REC_GOHIST_KIND, sizeof(rec)}, .tgid = s->rec.tgid, .time = s->rec.time,
			.count = now->counts[i] - last->counts[i], .which = hists[no].which,
		};
		uint64_t lo, hi;

		if (now->counts[i] <= last->counts[i] || !go_runtime_hist_bucket(&s->r->runtime->layout, i, &lo, &hi))
			continue;
		rec.lo_ns = lo;
		rec.hi_ns = hi;
		err = put(ctx, &rec, sizeof(rec));
	}
	*last = *now;
	return err;
}

int go_snap_give_hists(struct go_snap *s, go_put put, void *ctx)
{
	int err = 0;

	for (size_t i = 0; i < GO_HIST_CNT && !err; i++)
		err = give_hist(s, i, put, ctx);
	return err;
}
