/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the kernel side counted, and what it costs. */
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe_impl.h"

/* A program that was not run because it ran already: of these two that is a wait of our own for a lock of a map. */
static uint64_t misses_of(const struct bpf_program *prog, const struct bpf_prog_info *info)
{
	return strstr(bpf_program__section_name(prog), "contention_") ? 0 : info->recursion_misses;
}

/* Sums over all our programs. */
static void sum_info(struct probe *p, uint64_t *ret_misses, uint64_t *ret_run_ns)
{
	struct bpf_program *prog;

	*ret_misses = 0;
	*ret_run_ns = 0;
	bpf_object__for_each_program(prog, p->skel->obj) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		if (bpf_program__fd(prog) < 0 || bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			continue;
		*ret_misses += misses_of(prog, &info);
		*ret_run_ns += info.run_time_ns;
	}
}

int probe_cost_begin(struct probe *p)
{
	uint64_t misses;
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	if (fd < 0)
		return fd;
	p->stats_fd = fd;
	sum_info(p, &misses, &p->run_ns);
	return 0;
}

uint64_t probe_cost_end(struct probe *p)
{
	uint64_t misses, run_ns;

	sum_info(p, &misses, &run_ns);
	close(p->stats_fd);
	p->stats_fd = 0;
	return run_ns - p->run_ns;
}

void probe_counts(struct probe *p, uint64_t counts[COUNT_CNT])
{
	int fd = bpf_map__fd(p->skel->maps.counts);
	uint64_t *per_cpu = calloc(p->cpu_cnt, sizeof(*per_cpu)), run_ns;

	for (uint32_t id = 0; per_cpu && id < COUNT_CNT; id++) {
		counts[id] = 0;
		if (bpf_map_lookup_elem(fd, &id, per_cpu))
			continue;
		for (int cpu = 0; cpu < p->cpu_cnt; cpu++)
			counts[id] += per_cpu[cpu];
	}
	free(per_cpu);
	sum_info(p, &counts[COUNT_recursion], &run_ns);
}

static int dump_eagains(struct probe *p, uint64_t time, probe_sink sink, void *ctx)
{
	int fd = bpf_map__fd(p->skel->maps.eagains), err = 0;
	struct eagain_key key, *prev = NULL;
	uint64_t n;

	while (!err && !bpf_map_get_next_key(fd, prev, &key)) {
		prev = &key;
		if (bpf_map_lookup_elem(fd, &key, &n))
			continue;
		struct rec_eagain r = {{REC_EAGAIN_KIND, sizeof(r)}, key.tgid, time, key.futex, n};

		err = sink(ctx, &r, sizeof(r));
	}
	return err;
}

int probe_dump_maps(struct probe *p, uint64_t time, probe_sink sink, void *ctx)
{
	int fd = bpf_map__fd(p->skel->maps.overruns), err = dump_eagains(p, time, sink, ctx);
	struct overrun_key key, *prev = NULL;
	uint64_t n;

	while (!err && !bpf_map_get_next_key(fd, prev, &key)) {
		prev = &key;
		if (bpf_map_lookup_elem(fd, &key, &n))
			continue;
		struct rec_overrun r = {{REC_OVERRUN_KIND, sizeof(r)}, key.id, time, n, key.is_thread, key.timer};

		err = sink(ctx, &r, sizeof(r));
	}
	return err;
}
