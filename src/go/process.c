/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "process.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "reader.h"

int why_not(char why[GO_WHY], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, GO_WHY, fmt, args);
	va_end(args);
	return -ENOTSUP;
}

bool is_go_text(const struct go_process_reader *r, uint64_t pc)
{
	return pc >= r->text_lo && pc <= r->text_hi;
}

static uint64_t u64_at(const uint8_t *p, uint16_t offset)
{
	return offset == GO_NO_OFFSET ? 0 : load_u64(p + offset);
}

static uint8_t u8_at(const uint8_t *p, uint16_t offset)
{
	return offset == GO_NO_OFFSET ? 0 : p[offset];
}

/* The offsets that never change are in bpf/go.h. */
struct g_view g_view(const struct go_process_reader *r, const uint8_t *g)
{
	const struct go_layout *at = &r->runtime->layout;

	return (struct g_view){
		.stack_lo = load_u64(g),
		.stack_hi = load_u64(g + 8),
		.m = load_u64(g + 48),
		.sp = load_u64(g + 56),
		.pc = load_u64(g + 64),
		.bp = u64_at(g, at->g_sched_bp),
		.status = load_u32(g + at->g_status) & ~(uint32_t)GO_STATUS_SCAN,
		.goid = load_u64(g + at->g_status + 8),
		.waitsince = load_u64(g + at->g_status + 24),
		.reason = g[at->g_status + 32],
		.gopc = u64_at(g, at->g_gopc),
		.startpc = u64_at(g, at->g_startpc),
		.labels = u64_at(g, at->g_labels),
	};
}

struct m_view m_view(const struct go_process_reader *r, const uint8_t *m)
{
	const struct go_layout *at = &r->runtime->layout;

	return (struct m_view){
		.g0 = load_u64(m),
		.procid = u64_at(m, at->m_procid),
		.curg = u64_at(m, at->m_curg),
		.next = u64_at(m, at->m_alllink),
		.lockedg = u64_at(m, at->m_lockedg),
		.is_spinning = u8_at(m, at->m_spinning),
	};
}

static uint32_t largest(const uint16_t *offsets, size_t cnt)
{
	uint32_t most = 0;

	for (size_t i = 0; i < cnt; i++)
		if (offsets[i] != GO_NO_OFFSET && offsets[i] > most)
			most = offsets[i];
	return most;
}

static int take_sizes(const struct go_layout *at, struct view_sizes *out, char why[GO_WHY])
{
	const uint16_t needed[] = {at->g_status, at->g_sched_bp, at->g_gopc, at->g_startpc,
				   at->m_procid, at->m_curg, at->m_alllink};
	const uint16_t g[] = {at->g_status + 32, at->g_sched_bp, at->g_gopc, at->g_startpc, at->g_labels, 64};
	const uint16_t m[] = {at->m_procid, at->m_curg, at->m_alllink, at->m_lockedg, at->m_spinning};

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (needed[i] == GO_NO_OFFSET)
			return why_not(why, "the layout of the runtime's structs is not known");
	*out = (struct view_sizes){
		.g = largest(g, sizeof(g) / sizeof(*g)) + 8,
		.m = largest(m, sizeof(m) / sizeof(*m)) + 8,
	};
	if (out->g > GO_VIEW_MAX || out->m > GO_VIEW_MAX)
		return why_not(why, "the layout of the runtime's structs is not possible");
	return 0;
}

int read_global(const struct go_process_reader *r, uint64_t global, void *to, uint32_t len)
{
	return global ? memory_read(r->pid, global + r->bias, to, len) : -ENOENT;
}

int read_slots(const struct go_process_reader *r, uint64_t global, struct go_slots *out)
{
	uint64_t slice[2];
	int err = read_global(r, global, slice, sizeof(slice));

	if (!err)
		*out = (struct go_slots){.data = slice[0], .cnt = slice[1]};
	return err;
}

/* Where the program begins, as the kernel told it: the entry's live address. 0 or -errno. */
static int read_entry(int proc, uint64_t *out)
{
	Elf64_auxv_t aux[64];
	int fd = openat(proc, "auxv", O_RDONLY | O_CLOEXEC), err = -ENOENT;
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, aux, sizeof(aux));
	if (got < 0)
		err = -errno;
	if (!got)
		err = -ESRCH;	/* it has no memory any more */
	close(fd);
	for (ssize_t i = 0; i < got / (ssize_t)sizeof(*aux); i++) {
		if (aux[i].a_type != AT_ENTRY)
			continue;
		*out = aux[i].a_un.a_val;
		return 0;
	}
	return err;
}

/* With CAP_SYS_PTRACE alone the lacking right is another one. */
static int bias_not_known(const struct go_process_reader *r, char why[GO_WHY])
{
	uint8_t none;

	if (memory_read(r->pid, 0, &none, 1) == -EFAULT)
		snprintf(why, GO_WHY, "where it is loaded can't be read: needs CAP_DAC_READ_SEARCH, too");
	return -EPERM;
}

static int find_bias(struct go_process_reader *r, char why[GO_WHY])
{
	uint64_t live = 0;
	Elf64_Ehdr head;
	int err = read_entry(r->proc, &live);

	if (err && err != -EACCES)
		return err;
	if (pread(go_binary_fd(r->binary), &head, sizeof(head), 0) != sizeof(head))
		return why_not(why, "its program's file can't be read");
	/* Only its user may read auxv, who may read its memory or not; most programs are where they say. */
	if (err && head.e_type != ET_EXEC)
		return bias_not_known(r, why);
	if (err)
		live = head.e_entry;
	r->bias = live - head.e_entry;
	/* Whole pages are mapped, and a program that is not position-independent is where it says. */
	if (r->bias % 4096 || (head.e_type == ET_EXEC && r->bias))
		return why_not(why, "it does not run the program that was read");
	go_binary_text(r->binary, &r->text_lo, &r->text_hi);
	r->text_lo += r->bias;
	r->text_hi += r->bias;
	return 0;
}

uint64_t go_process_bias(const struct go_process_reader *p)
{
	return p->bias;
}

void go_process_close(struct go_process_reader *p)
{
	if (!p)
		return;
	if (p->proc >= 0)
		close(p->proc);
	go_snapshots_free(p->snapshots);
	free(p);
}

static int open_proc(uint32_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u", pid);
	fd = open(path, O_DIRECTORY | O_PATH | O_CLOEXEC);
	return fd >= 0 ? fd : errno == ENOENT ? -ESRCH : -errno;
}

int go_process_open(uint32_t pid, const struct go_binary *b, const struct go_runtime *r,
		    struct go_process_reader **out, char why[GO_WHY])
{
	struct go_process_reader *p = calloc(1, sizeof(*p));
	int err;

	why[0] = '\0';
	if (!p)
		return -ENOMEM;
	*p = (struct go_process_reader){.pid = pid, .proc = open_proc(pid), .binary = b, .runtime = r};
	err = p->proc < 0 ? p->proc : take_sizes(&r->layout, &p->sizes, why);
	if (!err)
		err = find_bias(p, why);
	if (!err && !(p->snapshots = go_snapshots_new(&p->sizes)))
		err = -ENOMEM;
	if (!err)
		err = go_process_check(p, why);
	if (err && err != -EAGAIN) {
		go_process_close(p);
		return err;
	}
	*out = p;
	return 0;
}
