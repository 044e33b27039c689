/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The probes in Go processes (bpf/golang.bpf.c): loaded once, attached process by process; the only place
 * that knows their skeleton.
 */
#pragma once

#include "../go/runtime.h"
#include "probe.h"

struct probe_go;

/* The first level that has this site. */
enum go_level probe_go_level(enum go_site_id site);

/*
 * Loads; `why` says what is missing on -ENOTSUP (the kernel's cookies, 5.15). Other -errno with why, too.
 * Records flow after probe_go_active(true).
 */
int probe_go_open(const struct probe_shared *shared, struct probe_go **out, char why[GO_WHY]);
void probe_go_close(struct probe_go *p);
void probe_go_active(struct probe_go *p, bool active);

/* The probes of one level in one process. All zero: none. */
struct probe_go_links {
	void *links[GO_SITE_CNT];
	int fd;			/* one link for all where the kernel has it; else 0 */
	size_t cnt;
};

/* What probes with that slot, below GO_SLOTS, are to know of their process. 0 or -errno. */
int probe_go_set(struct probe_go *p, uint32_t slot, const struct go_proc *proc);
/* What is known of the goroutines of the slot, whose process has no probes any more, is forgotten. */
void probe_go_clear(struct probe_go *p, uint32_t slot);
/*
 * Attaches the sites whose level is `level`, in the process `pid` (as we see it) whose program is `path`.
 * 0 or -errno.
 */
int probe_go_attach(struct probe_go *p, uint32_t slot, uint32_t pid, const char *path, const struct go_runtime *r,
		    enum go_level level, struct probe_go_links *out);
void probe_go_detach(struct probe_go_links *l);
