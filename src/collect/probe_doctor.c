/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe_doctor.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../bpf/config.h"
#include "features.h"
#include "tracefs.h"
#include "wakelag.skel.h"

enum { TRIAL_RING = 1 << 16 };	/* any power of two of pages, on all architectures */

static int print_if_asked(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	return getenv("WAKELAG_LIBBPF_DEBUG") ? vfprintf(stderr, fmt, ap) : 0;
}

static bool has_event(const char *section, const struct btf *btf)
{
	if (!strncmp(section, "tp_btf/", 7))
		return features_has_tracepoint(btf, section + 7);
	if (!strncmp(section, "tp/", 3))
		return tracefs_event_id(section + 3) > 0;
	return true;
}

/* Loads the program number `wanted` and no other. ENOENT: there are not that many. */
static int try_one(int wanted, const struct btf *btf, struct probe_trial *t, char *name, size_t size)
{
	struct wakelag_bpf *skel = wakelag_bpf__open();
	struct bpf_program *prog;
	int i = 0, err = -ENOENT;

	if (!skel)
		return -errno;
	struct bpf_config *config = (struct bpf_config *)&skel->rodata->config;

	config->stacks = true;
	config->switch_has_state = features_switch_has_state(btf);
	config->task_storage = features_task_storage(btf);
	bpf_map__set_autocreate(config->task_storage ? skel->maps.joins_by_task : skel->maps.joins, false);
	bpf_map__set_max_entries(skel->maps.ring, TRIAL_RING);
	bpf_map__set_max_entries(skel->maps.cpus, libbpf_num_possible_cpus());
	bpf_object__for_each_program(prog, skel->obj) {
		const char *section = bpf_program__section_name(prog);

		bpf_program__set_autoload(prog, i == wanted);
		if (i++ != wanted)
			continue;
		bool is_iterator = !strncmp(section, "iter/", 5);

		snprintf(name, size, "%s%s%s", section, is_iterator ? " " : "",
			 is_iterator ? bpf_program__name(prog) : "");
		*t = (struct probe_trial){.name = name, .has_event = has_event(section, btf)};
		err = 0;
	}
	if (!err && t->has_event)
		t->err = wakelag_bpf__load(skel);
	wakelag_bpf__destroy(skel);
	return err;
}

int probe_try_programs(bool (*tell)(void *ctx, const struct probe_trial *t), void *ctx)
{
	libbpf_print_fn_t before = libbpf_set_print(print_if_asked);
	struct btf *btf = btf__load_vmlinux_btf();
	int err = btf ? 0 : -errno;
	bool more = btf != NULL;
	struct probe_trial t;
	char name[128];

	for (int i = 0; more; i++) {
		err = try_one(i, btf, &t, name, sizeof(name));
		more = !err && tell(ctx, &t);
	}
	btf__free(btf);
	libbpf_set_print(before);
	return btf && err == -ENOENT ? 0 : err;
}

int probe_try_ring(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "wakelag", 0, 0, TRIAL_RING, NULL);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}
