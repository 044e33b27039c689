/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe_go.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "golang.skel.h"

/* include/uapi/linux/bpf.h of 6.6, which Debian 12's does not have: BPF_LINK_CREATE of many uprobes. */
enum { UPROBE_MULTI = 48 };

struct multi_attr {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t cnt, multi_flags, pid, pad;
};

struct probe_go {
	struct golang_bpf *skel;
	bool multi;
};

static const enum go_level site_levels[GO_SITE_CNT] = {
#define X(id, symbols, level, help) [GO_SITE_##id] = GO_##level,
	GO_SITES(X)
#undef X
};

enum go_level probe_go_level(enum go_site_id site)
{
	return site_levels[site];
}

static bool kernel_is(int major, int minor)
{
	struct utsname u;
	int a = 0, b = 0;

	return !uname(&u) && sscanf(u.release, "%d.%d", &a, &b) == 2 && (a > major || (a == major && b >= minor));
}

/* Maps of ours that are the same as the main object's, and those that only its programs use. */
static int share_maps(struct golang_bpf *skel, const struct probe_shared *shared)
{
	struct {
		struct bpf_map *map;
		int fd;
	} rows[] = {
		{skel->maps.ring, shared->ring}, {skel->maps.counts, shared->counts},
		{skel->maps.cpus, shared->cpus}, {skel->maps.overruns, shared->overruns},
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(rows) / sizeof(rows[0]); i++)
		err = bpf_map__reuse_fd(rows[i].map, rows[i].fd);
	bpf_map__set_autocreate(skel->maps.joins, false);
	bpf_map__set_autocreate(skel->maps.joins_by_task, false);
	bpf_map__set_autocreate(skel->maps.wanted, false);
	bpf_map__set_autocreate(skel->maps.go_procs, false);
	return err;
}

int probe_go_open(const struct probe_shared *shared, struct probe_go **out, char why[GO_WHY])
{
	struct probe_go *p;
	int err;

	/* bpf_get_attach_cookie of perf events: 5.15 (7adfc6c9b315) */
	if (!kernel_is(5, 15)) {
		snprintf(why, GO_WHY, "probes need kernel 5.15");
		return -ENOTSUP;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->skel = golang_bpf__open();
	if (!p->skel) {
		err = -errno;
		snprintf(why, GO_WHY, "probes cannot be opened: %s", strerror(-err));
		free(p);
		return err;
	}
	*(struct bpf_config *)&p->skel->rodata->config = *shared->config;
	/* its pid filter is of whole processes from 6.10 on (46ba0e49b642) */
	p->multi = kernel_is(6, 10);
	bpf_program__set_autoload(p->skel->progs.on_go, true);
	if (p->multi)
		bpf_program__set_expected_attach_type(p->skel->progs.on_go, (enum bpf_attach_type)UPROBE_MULTI);
	err = share_maps(p->skel, shared);
	if (!err)
		err = golang_bpf__load(p->skel);
	if (err) {
		snprintf(why, GO_WHY, "probes cannot be loaded: %s", strerror(-err));
		probe_go_close(p);
		return err;
	}
	*out = p;
	return 0;
}

void probe_go_close(struct probe_go *p)
{
	if (!p)
		return;
	golang_bpf__destroy(p->skel);
	free(p);
}

void probe_go_active(struct probe_go *p, bool active)
{
	p->skel->bss->active = active;
}

int probe_go_set(struct probe_go *p, uint32_t slot, const struct go_proc *proc)
{
	return bpf_map_update_elem(bpf_map__fd(p->skel->maps.go_slots), &slot, proc, BPF_ANY) ? -errno : 0;
}

/* How many there were. A key that goes meanwhile makes the kernel begin anew: others' do, so there is an end. */
static uint32_t clear_slot(const struct bpf_map *map, uint32_t slot)
{
	uint32_t cleared = 0, left = 2 * bpf_map__max_entries(map);
	uint64_t key, next;
	int fd = bpf_map__fd(map);
	bool more = !bpf_map_get_next_key(fd, NULL, &next);

	while (more && left--) {
		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (key >> KEY_SLOT_SHIFT == slot)
			cleared += !bpf_map_delete_elem(fd, &key);
	}
	return cleared;
}

void probe_go_clear(struct probe_go *p, uint32_t slot)
{
	clear_slot(p->skel->maps.go_states, slot);
	__atomic_fetch_sub(&p->skel->bss->birth_cnt, clear_slot(p->skel->maps.go_births, slot), __ATOMIC_RELAXED);
}

static int attach_multi(struct probe_go *p, uint32_t pid, const char *path, const uint64_t *offsets,
			const uint64_t *cookies, uint32_t cnt, struct probe_go_links *out)
{
	struct multi_attr attr = {
		.prog_fd = bpf_program__fd(p->skel->progs.on_go),
		.attach_type = UPROBE_MULTI,
		.path = (uintptr_t)path,
		.offsets = (uintptr_t)offsets,
		.cookies = (uintptr_t)cookies,
		.cnt = cnt,
		.pid = pid,
	};
	int fd = syscall(__NR_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	if (fd < 0)
		return -errno;
	out->fd = fd;
	return 0;
}

static int attach_each(struct probe_go *p, uint32_t pid, const char *path, const uint64_t *offsets,
		       const uint64_t *cookies, uint32_t cnt, struct probe_go_links *out)
{
	for (uint32_t i = 0; i < cnt; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = cookies[i]);
		struct bpf_link *link = bpf_program__attach_uprobe_opts(p->skel->progs.on_go, pid, path, offsets[i], &opts);

		if (!link) {
			int err = -errno;

			probe_go_detach(out);
			return err;
		}
		out->links[out->cnt++] = link;
	}
	return 0;
}

int probe_go_attach(struct probe_go *p, uint32_t slot, uint32_t pid, const char *path, const struct go_runtime *r,
		    enum go_level level, struct probe_go_links *out)
{
	uint64_t offsets[GO_SITE_CNT], cookies[GO_SITE_CNT];
	uint32_t cnt = 0;

	*out = (struct probe_go_links){0};
	for (size_t i = 0; i < r->site_cnt; i++) {
		const struct go_site *s = &r->sites[i];

		if (site_levels[s->id] != level)
			continue;
		offsets[cnt] = s->file_offset;
		cookies[cnt++] = go_cookie(s->id, slot, s->addr);
	}
	if (p->multi)
		return attach_multi(p, pid, path, offsets, cookies, cnt, out);
	return attach_each(p, pid, path, offsets, cookies, cnt, out);
}

void probe_go_detach(struct probe_go_links *l)
{
	while (l->cnt)
		bpf_link__destroy(l->links[--l->cnt]);
	if (l->fd > 0)
		close(l->fd);
	*l = (struct probe_go_links){0};
}
