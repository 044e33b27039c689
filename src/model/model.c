/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "counts.h"
#include "goroutine.h"

/*
 * How far back the model remembers, in pieces of 40 bytes: 20 MiB and 5 MiB once they are full, and a quarter of
 * the former for the sleeps of threads that may hold locks. At 100,000 switches a second that is five seconds for a
 * timer loop that fell behind, and more than one for a holder.
 */
enum { PIECE_CNT = 1 << 19, SLICE_CNT = 1 << 17 };

/* A recording has some dozens; a hostile one shall not fill the memory. */
enum { FACTS_MAX = 4096 };

struct fact {
	char name[40 + 1];
	char value[216 + 1];
};

struct model {
	struct span_sink sink;
	struct model_info info;
	struct names *names;
	struct threads threads;
	struct goroutines goroutines;
	struct go_info go;
	struct counts counts;
	struct fact **facts;
	size_t fact_cnt, fact_room;
	uint64_t bad_cnt;
};

struct model *model_new(const struct span_sink *sink)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->sink = *sink;
	counts_init(&m->counts, &m->sink);
	m->names = names_new();
	go_info_init(&m->go, &m->sink, m->names);
	m->goroutines = (struct goroutines){.threads = &m->threads, .info = &m->go};
	if (!m->names || threads_init(&m->threads, &m->sink, m->names, PIECE_CNT, SLICE_CNT)) {
		model_free(m);
		return NULL;
	}
	return m;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->fact_cnt; i++)
		free(m->facts[i]);
	free(m->facts);
	counts_done(&m->counts);
	go_info_done(&m->go);
	threads_done(&m->threads);
	names_free(m->names);
	free(m);
}

static void note_time(struct model *m, uint64_t time_ns)
{
	if (!m->info.start_ns)
		m->info.start_ns = time_ns;
	if (time_ns > m->info.end_ns)
		m->info.end_ns = time_ns;
}

static int feed_wait(struct model *m, const struct rec_wait *r)
{
	int err = threads_wait(&m->threads, r);

	if (!err)
		note_time(m, r->ran);
	return err;
}

static int feed_slice(struct model *m, const struct rec_slice *r)
{
	return threads_slice(&m->threads, r);
}

static int feed_move(struct model *m, const struct rec_move *r)
{
	return threads_move(&m->threads, r);
}

static int feed_task(struct model *m, const struct rec_task *r)
{
	int err;

	if (!r->tid)
		return -EBADMSG;
	note_time(m, r->time);
	err = names_task(m->names, r);
	return err ? err : counts_task(&m->counts, r);
}

static int feed_task_end(struct model *m, const struct rec_task_end *r)
{
	int err = threads_end(&m->threads, r);

	if (err)
		return err;
	note_time(m, r->time);
	if (r->exited)
		names_thread_ends(m->names, r->tid, r->time);
	return 0;
}

static int feed_count(struct model *m, const struct rec_count *r)
{
	note_time(m, r->time);
	go_info_flush(&m->go);
	return counts_count(&m->counts, r);
}

static int feed_eagain(struct model *m, const struct rec_eagain *r)
{
	return counts_eagain(&m->counts, r);
}

static int feed_overrun(struct model *m, const struct rec_overrun *r)
{
	return counts_overrun(&m->counts, r);
}

static int feed_clock(struct model *m, const struct rec_clock *r)
{
	if (!m->info.has_clock) {
		m->info.has_clock = true;
		m->info.start_ns = r->time;
		m->info.realtime_off = r->realtime;
		m->threads.known_from_ns = r->time;
	}
	note_time(m, r->time);
	return 0;
}

static int feed_cgroup(struct model *m, const struct rec_cgroup *r)
{
	return names_cgroup(m->names, r);
}

static int feed_cgstat(struct model *m, const struct rec_cgstat *r)
{
	note_time(m, r->time);
	return counts_cgstat(&m->counts, r);
}

static int feed_fact(struct model *m, const struct rec_fact *r)
{
	struct fact *f;

	if (m->fact_cnt == FACTS_MAX)
		return -EBADMSG;
	if (m->fact_cnt == m->fact_room) {
		size_t room = m->fact_room ? 2 * m->fact_room : 32;
		struct fact **facts = realloc(m->facts, room * sizeof(*facts));

		if (!facts)
			return -ENOMEM;
		m->facts = facts;
		m->fact_room = room;
	}
	f = calloc(1, sizeof(*f));	/* what the texts do not fill ends them */
	if (!f)
		return -ENOMEM;
	memcpy(f->name, r->name, sizeof(r->name));
	memcpy(f->value, r->value, sizeof(r->value));
	m->facts[m->fact_cnt++] = f;
	return 0;
}

static int feed_go(struct model *m, const struct rec_go *r)
{
	int err = goroutines_ran(&m->goroutines, r);

	if (!err)
		note_time(m, r->ran);
	return err;
}

static int feed_stack(struct model *m, const struct rec_stack *r)
{
	return names_stack(m->names, r);
}

static int feed_stw(struct model *m, const struct rec_stw *r)
{
	int err = goroutines_stw(&m->goroutines, r);

	if (!err)
		note_time(m, r->end);
	return err;
}

static int feed_symbol(struct model *m, const struct rec_symbol *r)
{
	return names_symbol(m->names, r);
}

static int feed_goproc(struct model *m, const struct rec_goproc *r)
{
	int err = go_info_proc(&m->go, r);

	if (!err)
		note_time(m, r->time);
	return err;
}

static int feed_goword(struct model *m, const struct rec_goword *r)
{
	return names_goword_add(m->names, r);
}

static int feed_gosnap(struct model *m, const struct rec_gosnap *r)
{
	int err = go_info_snap(&m->go, r);

	if (!err)
		note_time(m, r->time);
	return err;
}

static int feed_gosite(struct model *m, const struct rec_gosite *r)
{
	return go_info_site(&m->go, r);
}

static int feed_gohist(struct model *m, const struct rec_gohist *r)
{
	return go_info_hist(&m->go, r);
}

static int feed_golabel(struct model *m, const struct rec_golabel *r)
{
	return names_golabel(m->names, r);
}

static int feed_lock(struct model *m, const struct rec_lock *r)
{
	return names_lock(m->names, r);
}

static int feed_klock(struct model *m, const struct rec_klock *r)
{
	int err = threads_klock(&m->threads, r);

	if (!err)
		note_time(m, r->end);
	return err;
}

static int feed_end(struct model *m, const struct rec_end *r)
{
	if (m->info.has_end || r->reason < END_DURATION || r->reason > END_TRIGGER)
		return -EBADMSG;
	note_time(m, r->time);
	m->info.has_end = true;
	m->info.end_reason = r->reason;
	m->info.status = r->status;
	return 0;
}

/* One switch of tail calls rather than a table: each record is given on with its own type. */
static int feed(struct model *m, const struct rec_hdr *hdr)
{
	switch (hdr->kind) {
#define X(upper, lower) \
	case REC_##upper##_KIND: \
		if (hdr->len != sizeof(struct rec_##lower)) \
			return -EBADMSG; \
		return feed_##lower(m, (const struct rec_##lower *)hdr);
	RECORDS(X)
#undef X
	default:
		return -EBADMSG;
	}
}

int model_feed(struct model *m, const void *rec, size_t len)
{
	const struct rec_hdr *hdr = rec;
	int err = -EBADMSG;

	if (len >= sizeof(*hdr) && hdr->len == len)
		err = feed(m, hdr);
	if (err == -EBADMSG)
		m->bad_cnt++;
	return err;
}

void model_end(struct model *m)
{
	m->counts.total[COUNT_file_bad_record] += m->bad_cnt;
	if (!m->info.has_end)
		m->counts.total[COUNT_file_cut] = 1;
	go_info_flush(&m->go);
	counts_end(&m->counts);
}

const struct names *model_names(const struct model *m)
{
	return m->names;
}

const struct model_info *model_info(const struct model *m)
{
	return &m->info;
}

/* The last of that name: a fact known better at the end is written again. */
const char *model_fact(const struct model *m, const char *name)
{
	for (size_t i = m->fact_cnt; i-- > 0;) {
		if (!strcmp(m->facts[i]->name, name))
			return m->facts[i]->value;
	}
	return NULL;
}

bool model_fact_at(const struct model *m, size_t i, const char **name, const char **value)
{
	if (i >= m->fact_cnt)
		return false;
	*name = m->facts[i]->name;
	*value = m->facts[i]->value;
	return true;
}

bool model_cgstat_at(const struct model *m, size_t i, struct cgroup_stat *out)
{
	return counts_cgstat_at(&m->counts, i, out);
}

bool model_go_at(const struct model *m, size_t i, struct go_process *out)
{
	return go_info_at(&m->go, i, out);
}

bool model_go_group(const struct model *m, uint32_t tgid, size_t i, struct go_group *out)
{
	return go_info_group(&m->go, tgid, i, out);
}

bool model_go_hist(const struct model *m, uint32_t tgid, uint32_t which, size_t i, struct go_bucket *out)
{
	return go_info_bucket(&m->go, tgid, which, i, out);
}
