/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * make_seeds DIR: writes the corpus that fuzz_recording starts from, some recordings and some raw
 * blocks. Not part of any build: run again when bpf/record.h has new kinds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/trace/codec.h"
#include "src/trace/text.h"
#include "src/trace/writer.h"
#include "tests/unit/trace_streams.h"

enum { MAX_RECORDS = 40 };

struct seed {
	const char *name;
	unsigned int cnt;
	union any_record recs[MAX_RECORDS];
};

static void fill(struct seed *s, const char *name, struct rec_wait (*next)(struct stream *s))
{
	struct stream stream = stream_new(5);

	s->name = name;
	s->cnt = next ? 12 : MAX_RECORDS;
	for (unsigned int i = 0; i < s->cnt; i++) {
		if (next)
			s->recs[i].wait = next(&stream);
		else
			stream_any(&stream, &s->recs[i]);
	}
}

/* One line of each kind, as a whole short recording has them. */
static void fill_story(struct seed *s)
{
	static const char *const lines[] = {
		"fact name=kernel value=6.1", "clock time=1s realtime=1700000000s",
		"task tid=101 time=1s tgid=100 flags=tracked comm=mixer", "cgroup id=7 path=/a/b",
		"slice tid=200 end=1002ms start=1001ms irq_ns=5000",
		"wait tid=101 tgid=100 off=1000ms asked=1001ms due=1001050us fired=1001051us "
		"waking=1001052us ran=1002ms why=blocked woken_by=timer timer=sleeper syscall=230 by=200",
		"move tid=101 end=1003ms start=1002500us by=slices cpu_to=1",
		"wait tid=101 tgid=100 off=1002ms ran=1004ms since=1003ms why=preempted by=slices moves=1",
		"eagain tgid=100 time=1005ms futex=0x7f00 count=3", "overrun id=101 time=1005ms is_thread=1 "
		"timer=posix count=2", "cgstat time=1006ms id=7 nr_periods=10 nr_throttled=2",
		"count id=waking time=1007ms value=1", "count id=ring_slice time=1007ms value=4",
		"task_end tid=101 tgid=100 time=1008ms waking=2 open=blocked open_off=1005ms syscall=230",
		"end time=1009ms reason=duration",
	};

	s->name = "story";
	for (s->cnt = 0; s->cnt < sizeof(lines) / sizeof(lines[0]); s->cnt++) {
		char why[128];
		size_t len;

		if (record_parse(lines[s->cnt], &s->recs[s->cnt], sizeof(s->recs[0]), &len, why,
				 sizeof(why))) {
			fprintf(stderr, "%s: %s\n", lines[s->cnt], why);
			exit(1);
		}
	}
}

static void write_seed(const char *dir, const struct seed *s)
{
	struct encoder *e = encoder_new();
	struct recording_writer *w;
	const uint8_t *piece;
	char path[4096];
	size_t len;

	snprintf(path, sizeof(path), "%s/%s.rec", dir, s->name);
	if (!e || writer_open(path, &w))
		exit(1);
	for (unsigned int i = 0; i < s->cnt; i++) {
		encoder_add(e, &s->recs[i]);
		writer_feed(w, &s->recs[i], s->recs[i].hdr.len);
		if (i == s->cnt / 2)
			writer_flush(w);
	}
	writer_close(w);
	snprintf(path, sizeof(path), "%s/%s.raw", dir, s->name);
	FILE *f = fopen(path, "w");

	if (!f)
		exit(1);
	for (unsigned int i = 0; (piece = encoder_piece(e, i, &len)); i++)
		fwrite(piece, 1, len, f);
	fclose(f);
	encoder_free(e);
}

int main(int argc, char **argv)
{
	static struct seed seeds[3];

	if (argc != 2)
		return 64;
	fill_story(&seeds[0]);
	fill(&seeds[1], "sleepers", stream_sleepers);
	fill(&seeds[2], "any", NULL);
	seeds[2].cnt = 14;
	for (unsigned int i = 0; i < 3; i++)
		write_seed(argv[1], &seeds[i]);
	return 0;
}
