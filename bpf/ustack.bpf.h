/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a thread waits in a futex, at its switch-out: which call path that is, by the first words of its stack, and a
 * copy of the stack the first time that the path is seen. For sched.bpf.c only.
 */
#pragma once

#include "paths.bpf.h"
#include "ustack.h"

enum {
	PAGE_BYTES = 4096,	/* the smallest there is: reads that end at its multiples fail as a whole or not at all */
	NEAR_STACK = 65536,
	LIBRARY_BYTES = 128 << 20,	/* that the libraries which a program begins with lie in, below mmap_base */
};

struct stack_path {
	__u32 tgid, id;
};

/* Those that user space was given the stack of. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_STACK_PATHS);
	__type(key, struct stack_path);
	__type(value, __u8);
} stack_paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_USER_TEXTS);
	__type(key, __u32);
	__type(value, struct user_text);
} user_texts SEC(".maps");

/* A switch is followed by no other on its CPU before its programs are done. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_copy);
} stack_copies SEC(".maps");

/* Bytes to the end of the page, at most `most`. */
static __always_inline __u32 bytes_in_page(__u64 addr, __u32 most)
{
	__u32 left = PAGE_BYTES - (addr & (PAGE_BYTES - 1));

	return left < most ? left : most;
}

/* The words that tell the path. False: there is no stack to be read. */
static __always_inline bool read_head(struct stack_copy *c, __u64 sp)
{
	enum { HEAD_BYTES = STACK_HEAD_WORDS * 8 };

	/* what fails leaves zeros */
	return !bpf_probe_read_user(c->bytes, HEAD_BYTES, (void *)sp) ||
	       !bpf_probe_read_user(c->bytes, bytes_in_page(sp, HEAD_BYTES), (void *)sp);
}

/* All ones if word is in a range, else 0; without a branch, of which the verifier would follow both ways each time. */
static __always_inline __u64 in_range(__u64 word, __u64 lo, __u64 hi)
{
	__u64 at = word - lo;

	return -(((at - (hi - lo)) & ~at) >> 63);
}

/*
 * What of the process's memory may be code. Until user space says it: the program, as the kernel loaded it, and what
 * was mapped first, which is above the stacks of threads.
 */
static __always_inline void code_of(struct task_struct *p, __u64 sp, struct user_text *t)
{
	__u32 tgid = p->tgid;
	struct user_text *known = bpf_map_lookup_elem(&user_texts, &tgid);
	struct mm_struct *mm;

	if (known) {
		*t = *known;
		return;
	}
	mm = BPF_CORE_READ(p, mm);
	t->lo[0] = BPF_CORE_READ(mm, start_code);
	t->hi[0] = BPF_CORE_READ(mm, end_code);
	t->hi[1] = BPF_CORE_READ(mm, mmap_base);
	t->lo[1] = t->hi[1] - LIBRARY_BYTES;
	if (sp < t->hi[1] && sp + NEAR_STACK > t->lo[1])
		t->lo[1] = sp + NEAR_STACK;
	if (t->lo[1] > t->hi[1])
		t->lo[1] = t->hi[1];
}

static __always_inline __u32 path_id(struct task_struct *p, const struct stack_copy *c, __u64 sp)
{
	const __u64 *words = (const __u64 *)c->bytes;
	struct user_text t;
	__u64 hash;

	code_of(p, sp, &t);
	hash = mix(mix(c->tgid, c->ip), TASK_TLS(p) - sp);
	for (int i = 0; i < STACK_HEAD_WORDS; i++) {
		__u64 w = words[i];

		hash = mix(hash, w & (in_range(w, t.lo[0], t.hi[0]) | in_range(w, t.lo[1], t.hi[1])));
	}
	return id_of_hash(hash);
}

/*
 * The stack from sp up, as far as it can be read, page by page; and not beyond the thread's own storage, which lies
 * above the stack of every thread but a process's first.
 */
static __always_inline void copy_stack(struct stack_copy *c, __u64 sp, __u64 tls)
{
	__u32 most = tls > sp && tls - sp < STACK_COPY_BYTES ? tls - sp : STACK_COPY_BYTES;
	__u32 have = bytes_in_page(sp, PAGE_BYTES);

	_Static_assert(STACK_COPY_BYTES == 4 * PAGE_BYTES, "the first page's part, and three pages");
	c->len = 0;
	if (bpf_probe_read_user(c->bytes, have, (void *)sp))
		return;
	for (int i = 0; i < 3; i++) {
		barrier_var(have);	/* its bounds are to be checked, not known by the compiler alone */
		if (have >= most || have > STACK_COPY_BYTES - PAGE_BYTES ||
		    bpf_probe_read_user(c->bytes + have, PAGE_BYTES, (void *)(sp + have)))
			break;
		have += PAGE_BYTES;
	}
	c->len = have < most ? have : most;
}

/* False: the ring has no room to spare, or none at all. */
static __always_inline bool emit_copy(struct stack_copy *c)
{
	__u32 bytes = c->len;

	if (bytes > STACK_COPY_BYTES ||
	    bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE) / 2)
		return false;
	bytes += __builtin_offsetof(struct stack_copy, bytes);
	c->hdr.kind = STACK_COPY_KIND;
	c->hdr.len = bytes;
	/* at once: a process that ends before the next drain takes its files' names along */
	return !bpf_ringbuf_output(&ring, c, bytes, BPF_RB_FORCE_WAKEUP);
}

/* Of a path that was not seen: false, it is to be tried again. */
static __always_inline bool take_copy(struct stack_copy *c, const struct stack_path *path, struct task_struct *p,
				      __u64 sp)
{
	__u8 yes = 1;

	c->tid = p->pid;
	c->id = path->id;
	USER_REGS(p, c->regs);
	copy_stack(c, sp, TASK_TLS(p));
	if (!c->len) {
		count(COUNT_stack_unreadable);
		return false;
	}
	if (bpf_map_update_elem(&stack_paths, path, &yes, BPF_NOEXIST)) {
		/* another thread may have come along the path on another CPU meanwhile: its copy is this one, too */
		if (bpf_map_lookup_elem(&stack_paths, path))
			return true;
		count(COUNT_stack_paths_full);
		return false;
	}
	if (emit_copy(c))
		return true;
	bpf_map_delete_elem(&stack_paths, path);
	count(COUNT_stack_later);
	return false;
}

/* The id of the path on which the task, the current one, waits; 0: not to be had. */
static __noinline __u32 take_path(struct task_struct *p)
{
	__u32 zero = 0;
	struct stack_copy *c = bpf_map_lookup_elem(&stack_copies, &zero);
	__u64 sp = TASK_REG(p, REG_SP);
	struct stack_path path;

	if (!c)
		return 0;
	c->tgid = p->tgid;
	c->ip = TASK_REG(p, REG_IP);
	if (!read_head(c, sp)) {
		count(COUNT_stack_unreadable);
		return 0;
	}
	path.tgid = p->tgid;
	path.id = path_id(p, c, sp);
	if (bpf_map_lookup_elem(&stack_paths, &path) || take_copy(c, &path, p, sp))
		return path.id;
	return 0;
}
