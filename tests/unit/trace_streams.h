/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Made-up streams of records with the entropy of real ones, for tests of the file format.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include "bpf/record.h"
#include "src/trace/record_info.h"

struct stream {
	uint64_t seed;
	uint64_t now;
	uint64_t last_ran[64], next_tick[64];
	unsigned int step;
};

static inline struct stream stream_new(uint64_t seed)
{
	return (struct stream){ .seed = seed * 2654435761u + 88172645463325252u, .now = 5000000000000u };
}

static inline uint64_t stream_random(struct stream *s)
{
	s->seed ^= s->seed << 13;
	s->seed ^= s->seed >> 7;
	s->seed ^= s->seed << 17;
	return s->seed * 2685821657736338717u;
}

/* A sum of four: a bell, as jitter is, over [0, range). */
static inline uint64_t stream_jitter(struct stream *s, uint64_t range)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < 4; i++)
		sum += (stream_random(s) >> 32) % range;
	return sum / 4;
}

static inline struct rec_wait stream_wait(uint32_t tid)
{
	return (struct rec_wait){
		.hdr = { .kind = REC_WAIT_KIND, .len = sizeof(struct rec_wait) }, .tid = tid, .tgid = 4000,
		.cgroup = 5123, .why = WAIT_BLOCKED, .prio = 120, .prev_state = 1,
	};
}

/* Two tasks on one CPU that wake each other through a pipe. */
static inline struct rec_wait stream_ping_pong(struct stream *s)
{
	unsigned int me = s->step++ & 1;
	struct rec_wait w = stream_wait(4001 + me);

	s->now += 1300 + stream_jitter(s, 400);
	w.ran = s->now;
	w.waking = w.ran - 500 - stream_jitter(s, 300);
	w.off = s->last_ran[!me] ? s->last_ran[!me] - 40 - stream_jitter(s, 30) : w.waking - 900;
	s->last_ran[me] = w.ran;
	w.waker = w.by = 4001 + !me;
	w.woken_by = WOKEN_TASK;
	return w;
}

/* 50 threads of a server on two CPUs: futexes and sockets, now and then preempted. */
static inline struct rec_wait stream_server(struct stream *s)
{
	uint32_t r = (uint32_t)(stream_random(s) >> 33), me = r % 50;
	struct rec_wait w = stream_wait(5000 + me);

	s->now += 300 + stream_jitter(s, 16000);
	w.ran = s->now;
	w.cpu = r >> 8 & 1;
	w.cpu_off = r >> 9 & 1;
	w.cpu_wake = w.cpu;
	w.by = (r >> 10) % 4 == 0 ? 5000 + (r >> 12) % 50 : 0;
	w.off = s->last_ran[me] ? s->last_ran[me] + 1000 + stream_jitter(s, 50000) : w.ran - 400000;
	if (w.off > w.ran)
		w.off = w.ran - 2000;
	s->last_ran[me] = w.ran;
	if ((r >> 20) % 16 == 0) {
		w.why = WAIT_PREEMPTED;
		w.prev_state = 0;
		w.by = BY_SLICES;
		w.irq_ns = 1500 + (uint32_t)stream_jitter(s, 1000);
		return w;
	}
	w.waking = w.ran - 1500 - stream_jitter(s, 20000);
	w.woken_by = WOKEN_TASK;
	w.waker = 5000 + (r >> 14) % 50;
	w.syscall = me % 2 ? 202 : 45;
	w.futex = me % 2 ? 0x7f1200000000 + me * 64 : 0;
	w.futex_op = me % 2 ? 0x80 : 0;
	return w;
}

/* 20 periodic sleepers with 50 us of slack. */
static inline struct rec_wait stream_sleepers(struct stream *s)
{
	unsigned int me = 0;

	for (unsigned int i = 0; i < 20; i++) {
		if (!s->next_tick[i])
			s->next_tick[i] = s->now + 1000000 + i * 41777;
		if (s->next_tick[i] < s->next_tick[me])
			me = i;
	}
	struct rec_wait w = stream_wait(6000 + me);

	w.asked = s->next_tick[me];
	s->next_tick[me] += 1000000 * (1 + me % 3) + (me % 2 ? stream_jitter(s, 60000) : 0);
	w.due = w.asked + 50000;
	w.fired = w.due + 200 + stream_jitter(s, 3000);
	w.waking = w.fired + 300 + stream_jitter(s, 400);
	w.ran = w.waking + 1500 + stream_jitter(s, 9000);
	w.off = w.asked - 900000 - stream_jitter(s, 60000);
	w.woken_by = WOKEN_TIMER;
	w.timer = TIMER_SLEEPER;
	w.syscall = 230;
	w.cpu = w.cpu_off = w.cpu_wake = me % 2;
	return w;
}

/* A value as hostile as its field allows: often 0, the least, the most or close to another. */
static inline uint64_t stream_value(struct stream *s)
{
	uint64_t r = stream_random(s);

	switch (r >> 8 & 7) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return 1ull << (r >> 16 & 63);
	case 3:
		return -(r >> 16 & 0xff);
	case 4:
		return s->now + (r >> 16 & 0xffff);
	}
	return stream_random(s) >> (r >> 16 & 63);
}

/* Any record with any values; texts are NUL-padded. Returns its length. */
static inline size_t stream_any(struct stream *s, union any_record *rec)
{
	const struct record_info *info =
		record_info(1 + (unsigned int)(stream_random(s) >> 32) % (REC_KIND_END - 1));

	memset(rec, 0, sizeof(*rec));
	rec->hdr = (struct rec_hdr){ .kind = info->kind, .len = info->size };
	for (unsigned int i = 0; i < info->field_cnt; i++) {
		const struct field_info *f = &info->fields[i];

		if (f->codec != FIELD_TEXT) {
			field_set(f, rec, i == 0 ? stream_value(s) & 7 : stream_value(s));
			continue;
		}
		size_t len = (stream_random(s) >> 32) % (f->size + 1u);

		for (size_t at = 0; at < len; at++)
			((char *)rec)[f->offset + at] = (char)(1 + (stream_random(s) >> 32) % 255);
	}
	return info->size;
}
