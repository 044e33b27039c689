/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/err.h"
#include "features.h"
#include "probe_impl.h"
#include "tracefs.h"

static char libbpf_says[512];	/* its last warning, for our own error text */

static int keep_warning(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (getenv("WAKELAG_LIBBPF_DEBUG"))
		return vfprintf(stderr, fmt, ap);
	if (level == LIBBPF_WARN)
		vsnprintf(libbpf_says, sizeof(libbpf_says), fmt, ap);
	return 0;
}

static int no_btf(int err)
{
	if (err == -EPERM || err == -EACCES)
		fail(err, "kernel types: cannot read /sys/kernel/btf/vmlinux");
	else
		fail(err, "kernel types: no BTF at /sys/kernel/btf/vmlinux");
	hint("needs a kernel built with CONFIG_DEBUG_INFO_BTF=y (Debian's are, from 5.10 on)");
	return err;
}

/* On is what the kernel has something to attach to. */
static void choose_programs(struct probe *p, const struct btf *btf, bool syscalls)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, p->skel->obj) {
		const char *sec = bpf_program__section_name(prog);

		if (!strncmp(sec, "tp_btf/", 7)) {
			bool has = features_has_tracepoint(btf, sec + 7);

			bpf_program__set_autoload(prog, has);
			if (!has)
				p->absent(p->absent_ctx, sec + 7, "the kernel has no such tracepoint");
		} else if (!strncmp(sec, "tp/", 3)) {
			bpf_program__set_autoload(prog, syscalls && tracefs_event_id(sec + 3) > 0);
		}
	}
}

static void choose_features(struct probe *p, const struct btf *btf, const struct probe_opts *opts)
{
	struct bpf_config *config = (struct bpf_config *)&p->skel->rodata->config;
	bool syscalls = !opts->no_syscalls && tracefs_event_id("syscalls/sys_exit_futex") > 0;

	*config = opts->config;
	config->switch_has_state = features_switch_has_state(btf);
	config->task_storage = features_task_storage(btf);
	config->wake_bytes = opts->ring_bytes / 4;
	p->may_futex = syscalls;
	if (opts->no_syscalls)
		p->absent(p->absent_ctx, "futex_results", "switched off by --no-syscalls");
	else if (!syscalls)
		p->absent(p->absent_ctx, "futex_results", "the futex tracepoints need tracefs, which can't be read");
	bpf_map__set_autocreate(config->task_storage ? p->skel->maps.joins_by_task : p->skel->maps.joins, false);
	bpf_map__set_max_entries(p->skel->maps.ring, opts->ring_bytes);
	bpf_map__set_max_entries(p->skel->maps.cpus, p->cpu_cnt < MAX_CPUS ? p->cpu_cnt : MAX_CPUS);
	choose_programs(p, btf, syscalls);
}

static int not_here(int err)
{
	hint("'wakelag doctor' says what works here");
	return err;
}

static int load_failed(int err)
{
	size_t len = strlen(libbpf_says);

	while (len && libbpf_says[len - 1] == '\n')
		libbpf_says[--len] = 0;
	fail(err, "kernel programs: load failed");
	if (err == -EPERM || err == -EACCES)
		hint("needs CAP_BPF and CAP_PERFMON; run with sudo");
	else if (len)
		hint("libbpf said: %s", libbpf_says);
	return err;
}

/* Before bpf_snprintf (5.13) the programs can't tell timer functions by name. */
static void fill_timer_functions(struct probe *p)
{
	static const struct {
		const char *name;
		uint8_t kind;
	} rows[] = {
#define X(text, id) {text, id},
		TIMER_FUNCTIONS(X)
#undef X
	};
	int fd = bpf_map__fd(p->skel->maps.timer_functions);
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long addr;
	char name[128];

	while (f && fscanf(f, "%llx %*c %127s%*[^\n]", &addr, name) == 2)
		for (size_t i = 0; addr && i < sizeof(rows) / sizeof(rows[0]); i++)
			if (!strcmp(name, rows[i].name))
				bpf_map_update_elem(fd, &addr, &rows[i].kind, BPF_ANY);
	if (f)
		fclose(f);
}

static int fill_wanted(struct probe *p, const struct probe_opts *opts)
{
	int fd = bpf_map__fd(p->skel->maps.wanted);
	uint8_t yes = 1;

	for (size_t i = 0; i < opts->wanted_cnt; i++)
		if (bpf_map_update_elem(fd, &opts->wanted[i], &yes, BPF_ANY))
			return fail(-errno, "kernel programs: too many ids (%zu)", opts->wanted_cnt);
	return 0;
}

static int on_record(void *ctx, void *data, size_t size)
{
	struct probe *p = ctx;
	int err = p->sink(p->sink_ctx, data, size);

	if (err < 0)
		return err;
	return --p->left ? 0 : -EAGAIN;
}

static int load(struct probe *p, const struct probe_opts *opts)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int err;

	if (!btf)
		return no_btf(-errno);
	p->skel = wakelag_bpf__open();
	if (!p->skel) {
		btf__free(btf);
		return fail(-errno, "kernel programs: cannot open");
	}
	choose_features(p, btf, opts);
	btf__free(btf);
	err = wakelag_bpf__load(p->skel);
	if (err)
		return load_failed(err);
	if (!p->skel->rodata->config.task_storage)
		fill_timer_functions(p);
	err = fill_wanted(p, opts);
	if (err)
		return err;
	p->ring = ring_buffer__new(bpf_map__fd(p->skel->maps.ring), on_record, p, NULL);
	if (p->ring)
		return 0;
	err = fail(-errno, "ring: cannot map %zu bytes", opts->ring_bytes);
	hint("a smaller --ring-size needs less memory; 'ulimit -l' may limit it");
	return err;
}

int probe_open(const struct probe_opts *opts, probe_absent absent, void *ctx, struct probe **out)
{
	struct probe *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->absent = absent;
	p->absent_ctx = ctx;
	p->cpu_cnt = libbpf_num_possible_cpus();
	libbpf_set_print(keep_warning);
	err = load(p, opts);
	if (err) {
		probe_close(p);
		return err;
	}
	*out = p;
	return 0;
}

void probe_close(struct probe *p)
{
	if (!p)
		return;
	while (p->link_cnt)
		bpf_link__destroy(p->links[--p->link_cnt]);
	if (p->stats_fd > 0)
		close(p->stats_fd);
	ring_buffer__free(p->ring);
	wakelag_bpf__destroy(p->skel);
	free(p);
}

/* By perf event and our own tracefs mount: libbpf would look below /sys/kernel only. */
static struct bpf_link *attach_tracepoint(const struct bpf_program *prog, const char *event)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = tracefs_event_id(event),
	};
	int fd = syscall(__NR_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? NULL : bpf_program__attach_perf_event(prog, fd);
}

static int attach(struct probe *p, struct bpf_program *prog)
{
	const char *sec = bpf_program__section_name(prog);
	struct bpf_link *link;

	if (p->link_cnt == MAX_LINKS)
		return fail(-E2BIG, "kernel programs: more than %d", MAX_LINKS);
	link = strncmp(sec, "tp/", 3) ? bpf_program__attach(prog) : attach_tracepoint(prog, sec + 3);
	if (!link)
		return not_here(fail(-errno, "kernel programs: cannot attach to '%s'", sec));
	p->links[p->link_cnt++] = link;
	return 0;
}

static bool is_tracepoint(const struct bpf_program *prog)
{
	return !strncmp(bpf_program__section_name(prog), "tp/", 3);
}

int probe_attach(struct probe *p)
{
	struct bpf_program *prog;
	int err;

	bpf_object__for_each_program(prog, p->skel->obj) {
		if (!bpf_program__autoload(prog) || is_tracepoint(prog) ||
		    !strncmp(bpf_program__section_name(prog), "iter/", 5))
			continue;
		err = attach(p, prog);
		if (err)
			return err;
	}
	return 0;
}

void probe_want_futex(struct probe *p, bool futex2)
{
	struct bpf_program *prog;

	if (!p->may_futex || (futex2 ? p->has_futex2 : p->has_futex))
		return;
	bpf_object__for_each_program(prog, p->skel->obj)
		if (bpf_program__autoload(prog) && is_tracepoint(prog) &&
		    futex2 == !!strstr(bpf_program__section_name(prog), "futex_"))
			attach(p, prog);
	*(futex2 ? &p->has_futex2 : &p->has_futex) = true;
	p->skel->bss->hold_futex = 1;
}

/* The iterator gives whole records, but a read may end inside one. */
static int read_records(int fd, probe_sink sink, void *ctx, size_t *ret_tracked)
{
	_Alignas(8) char buf[16384];
	size_t have = 0;
	ssize_t n;

	while ((n = read(fd, buf + have, sizeof(buf) - have)) > 0) {
		size_t pos = 0;

		have += n;
		while (have - pos >= sizeof(struct rec_hdr)) {
			const struct rec_hdr *hdr = (const void *)(buf + pos);
			const struct rec_task *task = (const void *)hdr;
			int err;

			if (hdr->len < sizeof(*hdr) || hdr->len > have - pos)
				break;
			if (hdr->kind == REC_TASK_KIND && ret_tracked)
				*ret_tracked += task->flags & TASK_TRACKED;
			err = sink(ctx, hdr, hdr->len);
			if (err < 0)
				return err;
			pos += hdr->len;
		}
		memmove(buf, buf + pos, have - pos);
		have -= pos;
	}
	return n < 0 ? -errno : 0;
}

static int run_iterator(const struct bpf_program *prog, probe_sink sink, void *ctx, size_t *ret_tracked)
{
	struct bpf_link *link = bpf_program__attach_iter(prog, NULL);
	int fd, err;

	if (!link)
		return not_here(fail(-errno, "task iterator: cannot attach"));
	fd = bpf_iter_create(bpf_link__fd(link));
	err = fd < 0 ? fail(-errno, "task iterator: cannot create") : read_records(fd, sink, ctx, ret_tracked);
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return err;
}

int probe_start(struct probe *p, probe_sink sink, void *ctx, size_t *ret_tracked)
{
	int err;

	*ret_tracked = 0;
	err = run_iterator(p->skel->progs.dump_tasks, sink, ctx, ret_tracked);
	if (!err)
		p->skel->bss->active = 1;
	return err;
}

void probe_stop(struct probe *p)
{
	p->skel->bss->active = 0;
	/* waits for an RCU grace period: no program runs any more that saw it active */
	syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

int probe_dump_ends(struct probe *p, probe_sink sink, void *ctx)
{
	return run_iterator(p->skel->progs.dump_ends, sink, ctx, NULL);
}

int probe_ring_fd(const struct probe *p)
{
	return ring_buffer__epoll_fd(p->ring);
}

int probe_drain(struct probe *p, size_t max, probe_sink sink, void *ctx)
{
	int err;

	p->sink = sink;
	p->sink_ctx = ctx;
	p->left = max;
	err = ring_buffer__consume(p->ring);
	if (err == -EAGAIN && !p->left)
		return 1;
	return err < 0 ? err : 0;
}

int probe_go_proc(struct probe *p, uint32_t tgid, const struct go_proc *proc)
{
	int fd = bpf_map__fd(p->skel->maps.go_procs);
	struct go_proc before;
	bool was = !bpf_map_lookup_elem(fd, &tgid, &before);

	if (proc ? bpf_map_update_elem(fd, &tgid, proc, BPF_ANY) : was && bpf_map_delete_elem(fd, &tgid))
		return -errno;
	p->go_cnt += (proc != NULL) - was;
	p->skel->bss->go_cnt = p->go_cnt;
	return 0;
}

int probe_user_text(struct probe *p, uint32_t tgid, const struct user_text *text)
{
	int fd = bpf_map__fd(p->skel->maps.user_texts);

	if (text ? bpf_map_update_elem(fd, &tgid, text, BPF_ANY) : bpf_map_delete_elem(fd, &tgid) && errno != ENOENT)
		return -errno;
	return 0;
}

struct probe_shared probe_share(const struct probe *p)
{
	return (struct probe_shared){
		.ring = bpf_map__fd(p->skel->maps.ring),
		.counts = bpf_map__fd(p->skel->maps.counts),
		.cpus = bpf_map__fd(p->skel->maps.cpus),
		.overruns = bpf_map__fd(p->skel->maps.overruns),
		.config = (const struct bpf_config *)&p->skel->rodata->config,
	};
}
