/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whether a layout agrees with the process that runs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reader.h"

enum {
	/* What is looked at: enough to see that a layout is wrong, and cheap. */
	CHECK_MS = 64, CHECK_GS = 256, CHECK_PS = 8,
	/* A process changes while it is read: a layout is wrong if it is wrong several times in a row. */
	CHECK_TRIES = 5,
};

/*
 * Whether a thread of the process has this id. The runtime knows the ids of its own PID namespace: where that
 * is not ours, all that can be said is whether it is an id at all.
 */
static bool is_thread(const struct go_process_reader *r, uint64_t procid)
{
	enum { PID_MAX_LIMIT = 4 << 20 };	/* linux/threads.h */
	struct stat own, its;
	char path[40];

	if (procid >= PID_MAX_LIMIT)
		return false;
	if (fstatat(AT_FDCWD, "/proc/self/ns/pid", &own, 0) || fstatat(r->proc, "ns/pid", &its, 0) ||
	    own.st_ino != its.st_ino)
		return true;
	snprintf(path, sizeof(path), "task/%u", (uint32_t)procid);
	return !faccessat(r->proc, path, F_OK, 0);
}

bool is_alive(uint32_t status)
{
	return status != GO_IDLE && status != GO_DEAD && status != GO_DEADEXTRA;
}

bool is_possible(const struct g_view *g)
{
	static const bool statuses[GO_STATUS_CNT] = {
		[GO_IDLE] = true, [GO_RUNNABLE] = true, [GO_RUNNING] = true, [GO_SYSCALLING] = true,
		[GO_WAITING] = true, [GO_DEAD] = true, [GO_COPYSTACK] = true, [GO_PREEMPTED_G] = true,
		[GO_LEAKED] = true, [GO_DEADEXTRA] = true,
	};

	return g->status < GO_STATUS_CNT && statuses[g->status] && g->goid < 1ull << 40 &&
	       (!is_alive(g->status) || g->stack_lo < g->stack_hi);
}

static int read_g(const struct go_process_reader *r, uint64_t addr, struct g_view *out)
{
	uint8_t g[GO_VIEW_MAX];
	int err = memory_read(r->pid, addr, g, r->sizes.g);

	if (!err)
		*out = g_view(r, g);
	return err;
}

/* What was seen on the way. */
struct evidence {
	uint64_t gs;		/* length of allgs */
	uint64_t busy_ms[CHECK_GS];	/* that goroutines have, and were not met in allm */
	size_t busy_cnt;
	bool has_busy;		/* a goroutine that is to have an m */
	bool has_thread;	/* an m whose thread was found */
	bool has_curg;		/* an m that has a goroutine, or not all ms were looked at */
};

/*
 * Whether m.curg leads to a goroutine that leads back. One that changes meanwhile proves nothing, and neither
 * does one that is just being dropped: dropg() clears g.m first, and its thread may be off the CPU right there.
 */
static bool has_own_curg(const struct go_process_reader *r, uint64_t addr, const struct m_view *m,
			 struct g_view *curg)
{
	uint8_t again[GO_VIEW_MAX];

	if (!read_g(r, m->curg, curg) && is_possible(curg) && (curg->m == addr || (!curg->m && curg->goid)))
		return true;
	curg->status = GO_RUNNING;
	return memory_read(r->pid, addr, again, r->sizes.m) || m_view(r, again).curg != m->curg;
}

/*
 * 1: its thread was seen; 0: it has none now: it waits for a C thread to call Go, or is just being made
 * (allocm() puts it into allm first).
 */
static int check_m(const struct go_process_reader *r, uint64_t addr, const struct m_view *m, char why[GO_WHY])
{
	struct g_view g0, curg = {.status = GO_RUNNING};
	unsigned long long at = addr;

	if (!m->g0 && !m->procid)
		return 0;
	if (read_g(r, m->g0, &g0) || g0.m != addr)
		return why_not(why, "m.g0 of the m at 0x%llx does not lead back to it", at);
	if (m->curg && !has_own_curg(r, addr, m, &curg))
		return why_not(why, "m.curg of the m at 0x%llx is no goroutine of it", at);
	if (!m->procid || !is_alive(curg.status))
		return 0;
	if (!is_thread(r, m->procid))
		return why_not(why, "m.procid of the m at 0x%llx is no thread", at);
	return 1;
}

static void meet(struct evidence *seen, uint64_t m)
{
	for (size_t i = 0; i < seen->busy_cnt; i++)
		if (seen->busy_ms[i] == m)
			seen->busy_ms[i--] = seen->busy_ms[--seen->busy_cnt];
}

static int check_ms(const struct go_process_reader *r, struct evidence *seen, char why[GO_WHY])
{
	uint8_t bytes[GO_VIEW_MAX];
	uint64_t addr;
	int err = read_global(r, r->runtime->globals.allm, &addr, sizeof(addr));

	if (err)
		return err == -ESRCH || err == -EPERM ? err : why_not(why, "runtime.allm can't be read");
	for (int i = 0; addr && i < CHECK_MS; i++) {
		struct m_view m;

		if (memory_read(r->pid, addr, bytes, r->sizes.m))
			return why_not(why, "runtime.allm leads nowhere: 0x%llx", (unsigned long long)addr);
		m = m_view(r, bytes);
		err = check_m(r, addr, &m, why);
		if (err < 0)
			return err;
		seen->has_thread |= err;
		seen->has_curg |= m.curg != 0;
		meet(seen, addr);
		addr = m.next;
	}
	if (addr) {	/* those not looked at may have what was not seen */
		seen->has_curg = true;
		seen->busy_cnt = 0;
	}
	return 0;
}

static int check_each_g(const struct go_process_reader *r, const uint64_t *addrs, size_t cnt,
			struct evidence *seen, char why[GO_WHY])
{
	size_t alive = 0, elsewhere = 0;

	for (size_t i = 0; i < cnt; i++) {
		unsigned long long at = addrs[i];
		struct g_view g;

		if (read_g(r, addrs[i], &g) || !is_possible(&g))
			return why_not(why, "what runtime.allgs has at 0x%llx is no goroutine", at);
		alive += is_alive(g.status);
		elsewhere += is_alive(g.status) && !is_go_text(r, g.startpc);
		if (g.status != GO_RUNNING && g.status != GO_SYSCALLING)
			continue;
		seen->has_busy = true;
		if (g.m)
			seen->busy_ms[seen->busy_cnt++] = g.m;
	}
	if (!alive && cnt == seen->gs)
		return why_not(why, "no goroutine of runtime.allgs is alive");
	/* Code of plugins is elsewhere, but the runtime's own goroutines never are. */
	if (elsewhere > alive / 2)
		return why_not(why, "g.startpc is no code in %zu of %zu goroutines", elsewhere, alive);
	return 0;
}

static int check_gs(const struct go_process_reader *r, struct evidence *seen, char why[GO_WHY])
{
	uint64_t addrs[CHECK_GS];
	struct go_slots allgs;
	size_t cnt;
	int err = read_slots(r, r->runtime->globals.allgs, &allgs);

	if (err)
		return err == -ESRCH || err == -EPERM ? err : why_not(why, "runtime.allgs can't be read");
	if (!allgs.cnt)
		return -EAGAIN;
	seen->gs = allgs.cnt;
	cnt = allgs.cnt < CHECK_GS ? allgs.cnt : CHECK_GS;
	if (memory_read(r->pid, allgs.data, addrs, (uint32_t)(cnt * sizeof(*addrs))))
		return why_not(why, "runtime.allgs leads nowhere");
	return check_each_g(r, addrs, cnt, seen, why);
}

static int check_ps(const struct go_process_reader *r, char why[GO_WHY])
{
	uint64_t addrs[CHECK_PS];
	struct go_slots allp;
	int err = read_slots(r, r->runtime->globals.allp, &allp);

	if (err)
		return err == -ESRCH || err == -EPERM ? err : why_not(why, "runtime.allp can't be read");
	if (allp.cnt > CHECK_PS)
		allp.cnt = CHECK_PS;
	if (!allp.cnt)
		return -EAGAIN;
	if (memory_read(r->pid, allp.data, addrs, (uint32_t)(allp.cnt * sizeof(*addrs))))
		return why_not(why, "runtime.allp leads nowhere");
	for (uint32_t i = 0; i < allp.cnt; i++) {
		uint32_t id_status[2];

		if (memory_read(r->pid, addrs[i], id_status, sizeof(id_status)) || id_status[0] != i ||
		    id_status[1] > 4)
			return why_not(why, "runtime.allp[%u] is no p", i);
	}
	return 0;
}

static int check_once(const struct go_process_reader *r, char why[GO_WHY])
{
	struct evidence seen = {.gs = 0};
	int err = check_gs(r, &seen, why);

	if (!err)
		err = check_ps(r, why);
	if (!err)
		err = check_ms(r, &seen, why);
	if (err)
		return err;
	if (seen.has_busy && !seen.has_curg)
		return why_not(why, "goroutines run, but no m of runtime.allm has one");
	if (seen.busy_cnt)
		return why_not(why, "g.m is not in runtime.allm: 0x%llx", (unsigned long long)seen.busy_ms[0]);
	if (seen.has_thread)
		return 0;
	/* The first goroutine is made before the first thread says its id. */
	return seen.gs > 1 ? why_not(why, "no m of runtime.allm has a thread") : -EAGAIN;
}

int go_process_check(struct go_process_reader *p, char why[GO_WHY])
{
	int err = -ENOTSUP;

	for (int i = 0; i < CHECK_TRIES && err == -ENOTSUP; i++)
		err = check_once(p, why);
	return err;
}
