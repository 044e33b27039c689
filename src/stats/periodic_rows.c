/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The rows of the table `periodic`, once all series are there. */
#include "periodic_impl.h"

#include <errno.h>
#include <stdlib.h>

bool periodic_missed(const struct periodic *p, size_t i, uint32_t *ret_tid, uint64_t *ret_n)
{
	if (i >= p->ids.cnt)
		return false;
	*ret_tid = p->series[i].metric == METRIC_THREAD_DRIFT ? p->series[i].tid : 0;
	*ret_n = p->series[i].missed;
	return true;
}

static uint64_t size_of(int64_t drift)
{
	return drift < 0 ? -(uint64_t)drift : (uint64_t)drift;
}

static void row_add(struct periodic_row *to, const struct periodic_row *r)
{
	to->series += r->series;
	to->ticks += r->ticks;
	to->missed += r->missed;
	if (r->streak_max > to->streak_max)
		to->streak_max = r->streak_max;
	if (size_of(r->drift_ns) <= size_of(to->drift_ns) && to->line_cnt)
		return;
	to->drift_ns = r->drift_ns;
	to->period_ns = r->period_ns;
	to->site = r->site;
	to->line = r->line;
	to->line_cnt = r->line_cnt;
}

static struct periodic_row row_of(const struct series *s)
{
	return (struct periodic_row){
		.metric = s->metric,
		.entity = s->entity,
		.site = s->site,
		.series = 1,
		.period_ns = s->period,
		.ticks = s->ticks,
		.missed = s->missed,
		.streak_max = s->streak_max,
		.drift_ns = s->drift,
		.line = s->line.points,
		.line_cnt = s->line.cnt,
	};
}

static int by_period(const void *a, const void *b)
{
	const struct periodic_row *x = a, *y = b;

	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	if (x->entity != y->entity)
		return x->entity < y->entity ? -1 : 1;
	if (x->period_ns != y->period_ns)
		return x->period_ns < y->period_ns ? -1 : 1;
	/* Of equal ones the one that stands for them must not depend on the sort. */
	if (x->drift_ns != y->drift_ns)
		return x->drift_ns < y->drift_ns ? -1 : 1;
	return x->ticks < y->ticks ? -1 : x->ticks > y->ticks;
}

static int by_drift(const void *a, const void *b)
{
	const struct periodic_row *x = a, *y = b;
	uint64_t x_size = size_of(x->drift_ns), y_size = size_of(y->drift_ns);
	bool x_rest = x->entity == ENTITY_REST, y_rest = y->entity == ENTITY_REST;

	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	if (x_rest != y_rest)
		return x_rest ? 1 : -1;
	if (x_size != y_size)
		return x_size > y_size ? -1 : 1;
	return by_period(a, b);
}

/* Rows are sorted by period. */
static void join_periods(struct periodic *p)
{
	size_t cnt = 0;
	uint64_t shortest = 0;

	for (size_t i = 0; i < p->row_cnt; i++) {
		struct periodic_row r = p->rows[i], *last = cnt ? &p->rows[cnt - 1] : NULL;

		if (last && last->metric == r.metric && last->entity == r.entity &&
		    r.period_ns - shortest <= shortest / 100) {
			row_add(last, &r);
			continue;
		}
		shortest = r.period_ns;
		p->rows[cnt++] = r;
	}
	p->row_cnt = cnt;
}

/* Rows are sorted by drift. */
static void fold_rest(struct periodic *p, size_t top)
{
	struct periodic_row *rest = NULL;
	size_t cnt = 0, of_metric = 0;

	for (size_t i = 0; i < p->row_cnt; i++) {
		struct periodic_row r = p->rows[i];

		if (!i || r.metric != p->rows[cnt - 1].metric) {
			of_metric = 0;
			rest = NULL;
		}
		if (rest) {
			row_add(rest, &r);
			continue;
		}
		p->rows[cnt++] = r;
		if (r.entity == ENTITY_REST || of_metric++ >= top) {
			rest = &p->rows[cnt - 1];
			rest->entity = ENTITY_REST;
		}
	}
	p->row_cnt = cnt;
}

int periodic_finish(struct periodic *p, uint64_t start_ns, size_t top)
{
	int err = periodic_settle(p);

	if (err)
		return err;
	p->rows = calloc(p->ids.cnt + 1, sizeof(*p->rows));
	if (!p->rows)
		return -ENOMEM;
	for (size_t i = 0; i < p->ids.cnt; i++) {
		struct series *s = &p->series[i];

		for (uint32_t k = 0; k < s->line.cnt; k++)
			s->line.points[k].t_ns -= smaller(start_ns, s->line.points[k].t_ns);
		if (s->state != LEARNING)
			p->rows[p->row_cnt++] = row_of(s);
	}
	qsort(p->rows, p->row_cnt, sizeof(*p->rows), by_period);
	join_periods(p);
	qsort(p->rows, p->row_cnt, sizeof(*p->rows), by_drift);
	fold_rest(p, top);
	return 0;
}
