/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tables and names for the tests of the exporters, and what an exporter makes of them. */
#pragma once

#include <stdio.h>

#include "bpf/record.h"
#include "src/export/export.h"
#include "src/model/model.h"
#include "tables_feed.h"

/* What a comm may hold: 15 bytes of anything. */
static const char *const hostile_comms[] = {
	"<script>alert(1", "</title>&amp;", "\"'><b>&lt;", "\x1b[2J\x1b]0;x\x07", "new\nline\r\t", "\xff\xfe\xc0\xaf",
	"\xe2\x80\xae" "flip", "\xe9\x9f\xb3\xe6\xa5\xbd\xe9\x9f\xb3\xe6\xa5\xbd", "cut \xe2\x82", "]]><!--", "\\x1b%s%n", "",
};

enum { HOSTILE_CNT = sizeof(hostile_comms) / sizeof(*hostile_comms) };

static inline void add_name(struct names *n, uint32_t tid, uint32_t ns_tid, const char *comm)
{
	struct rec_task t = {.tid = tid, .tgid = tid / 10 * 10, .ns_tid = ns_tid, .ns_tgid = ns_tid};

	memcpy(t.comm, comm, strnlen(comm, sizeof(t.comm)));
	assert_int_equal(names_task(n, &t), 0);
}

/* Threads 100 to 111, each with a name that bites. */
static inline struct names *hostile_names(void)
{
	struct names *n = names_new();

	assert_non_null(n);
	for (uint32_t i = 0; i < HOSTILE_CNT; i++)
		add_name(n, 100 + i, i % 2 ? 7 + i : 0, hostile_comms[i]);
	return n;
}

/* Spans by chance of those threads, who take time from each other. */
static inline struct tables *random_tables(size_t cnt, uint64_t length, struct tables_opts opts)
{
	struct span *spans = calloc(cnt, sizeof(*spans));
	struct blame *blame = calloc(cnt, sizeof(*blame));
	struct tables *t;

	assert_true(spans && blame);
	random_spans(spans, cnt, HOSTILE_CNT, length);
	for (size_t i = 0; i < cnt; i++) {
		blame[i] = (struct blame){.tid = 100 + (uint32_t)random_below(HOSTILE_CNT), .kind = BLAME_COMPETITOR,
					  .ns = spans[i].stage_ns[STAGE_RUNQ]};
		spans[i].blame = &blame[i];
		spans[i].blame_cnt = 1;
	}
	t = new_tables(opts);
	feed(t, spans, cnt);
	free(spans);
	free(blame);
	return t;
}

/* What the exporter writes, to be freed. */
static inline char *exported(const char *format, const struct tables *t, const struct names *n,
			     const struct export_opts *o)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(exporter_find(format)->run(t, n, o, out), 0);
	fclose(out);
	assert_int_equal(strlen(text), size);	/* no NUL in it */
	return text;
}

static const struct model_info sample_info = {
	.start_ns = START, .end_ns = START + 30 * MS, .has_clock = true,
	.realtime_off = 1700000000000000000 - (int64_t)START, .has_end = true, .end_reason = END_DURATION,
};

static const struct fact sample_facts[] = {
	{"target", "pid 10 (mix\x1b" "er <b>)"}, {"host.name", "h&st"}, {"host.kernel", "6.1"},
	{"host.arch", "x86_64"}, {"host.cpus", "2"}, {"options", "-p 10 --weird '\xff'"},
	{"absent.futex_results", "EACCES"}, {"cost.bytes", "1"}, {"cost.collector_cpu_ns", "600000"},
	{"cost.bytes", "50496"},
};

enum { SAMPLE_FACTS = sizeof(sample_facts) / sizeof(*sample_facts) };

static const struct export_opts sample_opts = {
	.info = &sample_info, .facts = sample_facts, .fact_cnt = SAMPLE_FACTS,
};
