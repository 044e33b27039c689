/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Inside of struct probe: for probe.c and probe_counters.c only. */
#pragma once

#include <bpf/libbpf.h>

#include "probe.h"
#include "wakelag.skel.h"

enum { MAX_LINKS = 64 };

struct probe {
	struct wakelag_bpf *skel;
	struct bpf_link *links[MAX_LINKS];
	size_t link_cnt;
	int stats_fd;
	uint64_t run_ns;	/* when the statistics were switched on */
	bool may_futex, has_futex, has_futex2;
	uint32_t go_cnt;
	struct ring_buffer *ring;
	probe_absent absent;
	void *absent_ctx;
	/* of the drain under way */
	probe_sink sink;
	void *sink_ctx;
	size_t left;
	int cpu_cnt;
};
