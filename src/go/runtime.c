/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "runtime.h"

#include <errno.h>
#include <stdio.h>

#include "amd64.h"
#include "globals.h"
#include "layouts.h"
#include "sites.h"

enum how { CAS, LOAD, STORE, ANY };

/*
 * Fields that the code of a function must use if the layout is right. A function that is not there proves
 * nothing, but the first two must be: all else hangs on a goroutine's status, and on finding it.
 */
static const struct proof {
	const char *functions;
	enum go_at at;
	enum how how;
	bool must;
} proofs[] = {
	{"runtime.casgstatus", GO_AT_g_status, CAS, true},
	{"runtime.execute", GO_AT_m_curg, STORE, true},
	{"runtime.execute", GO_AT_m_p, LOAD, false},
	{"runtime.newproc1", GO_AT_g_gopc, STORE, false},
	{"runtime.newproc1", GO_AT_g_startpc, STORE, false},
	{"runtime.newproc1", GO_AT_p_goidcache, LOAD, false},
	{"runtime.minit", GO_AT_m_procid, STORE, false},
	{"runtime.mcommoninit", GO_AT_m_alllink, STORE, false},
	{"runtime.stopm", GO_AT_m_park, ANY, false},
	{"runtime.runqput", GO_AT_p_runqhead, ANY, false},
	{"runtime.runqput", GO_AT_p_runnext, ANY, false},
	{"runtime.runOneTimer|runtime.(*timer).unlockAndRun", GO_AT_timer_when, ANY, false},
	{"runtime.runOneTimer|runtime.(*timer).unlockAndRun", GO_AT_timer_f, LOAD, false},
	{"runtime.chansend", GO_AT_hchan_recvq, ANY, false},
};

static bool is_used_as(const struct go_insn *insn, enum how how)
{
	switch (how) {
	case CAS:
		return insn->is_cas;
	case LOAD:
		return insn->loads;
	case STORE:
		return insn->stores;
	case ANY:
		return true;
	}
	return false;
}

static bool is_shown(const struct go_code *c, int64_t field, enum how how)
{
	for (size_t i = 0; i < c->cnt; i++) {
		const struct go_insn *insn = &c->insns[i];

		if (!insn->has_field || !is_used_as(insn, how))
			continue;
		if (insn->field == field)
			return true;
		if (how == CAS)		/* the first is meant */
			return false;
	}
	return false;
}

static int prove(const struct go_binary *b, const struct go_layout *l, const struct proof *p, char why[GO_WHY])
{
	uint16_t field = go_layout_get(l, p->at);
	struct go_code code;
	int err = go_code_read(b, p->functions, &code);

	if (err == -ENOMEM || (err && !p->must)) {
		go_code_free(&code);
		return err == -ENOMEM ? err : 0;
	}
	if (err)
		snprintf(why, GO_WHY, "its function %s can't be read", p->functions);
	else if (field != GO_NO_OFFSET && !is_shown(&code, field, p->how))
		snprintf(why, GO_WHY, "%s does not use %s at %u", code.name, go_at_rows[p->at].id, field);
	else
		p = NULL;
	go_code_free(&code);
	return p ? -ENOTSUP : 0;
}

/* 0; -ENOTSUP, with the first disagreement in `why`; -ENOMEM. */
static int prove_all(const struct go_binary *b, const struct go_layout *l, char why[GO_WHY])
{
	int err = 0;

	for (size_t i = 0; i < sizeof(proofs) / sizeof(*proofs) && !err; i++)
		err = prove(b, l, &proofs[i], why);
	return err;
}

static bool is_in_table(const struct go_build *build)
{
	return build->minor >= GO_MINOR_FIRST && build->minor <= GO_MINOR_LAST && !build->experiments[0];
}

/*
 * The table serves if the code agrees with it. If not, and for what it does not know (newer versions,
 * experiments), the debug information does; without, the nearest row if the code agrees with all of it. An
 * experiment can have moved what no code was looked at for: the heaps of timers are such a field (1.26 without
 * greenteagc).
 */
static int resolve_layout(const struct go_binary *b, struct go_runtime *r, char why[GO_WHY])
{
	const struct go_build *build = go_binary_build(b);
	char table_why[GO_WHY] = "", dwarf_why[GO_WHY] = "";
	int err;

	go_layout_of_table(build->minor, &r->layout);
	r->layout_from = "table";
	err = prove_all(b, &r->layout, table_why);
	if (err == -ENOMEM || (!err && is_in_table(build)))
		return err;
	if (!err)
		r->layout.p_timers_len = GO_NO_OFFSET;

	struct go_layout by_dwarf;
	int dwarf_err = go_layout_of_dwarf(b, &by_dwarf, dwarf_why);

	if (!dwarf_err)
		dwarf_err = prove_all(b, &by_dwarf, dwarf_why);
	if (!dwarf_err) {
		r->layout = by_dwarf;
		r->layout_from = "DWARF";
		return 0;
	}
	if (err)
		snprintf(why, GO_WHY, "the layout of its runtime differs from that of Go 1.%d: %.80s%s%.50s",
			 is_in_table(build) || build->experiments[0] ? build->minor : GO_MINOR_LAST, table_why,
			 *dwarf_why ? "; and " : "", dwarf_why);
	return err;
}

static void resolve_functions(const struct go_binary *b, struct go_functions *out)
{
	const struct {
		const char *name;
		__u64 *addr;
	} all[] = {
		{"runtime.goroutineReady", &out->goroutineReady},
		{"time.sendTime", &out->sendTime},
		{"time.goFunc", &out->goFunc},
		{"runtime.netpollReadDeadline", &out->readDeadline},
		{"runtime.netpollWriteDeadline", &out->writeDeadline},
		{"runtime.netpollDeadline", &out->deadline},
	};
	uint64_t addr, size;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		*all[i].addr = go_binary_func(b, all[i].name, &addr, &size) ? addr : 0;
}

int go_runtime_resolve(const struct go_binary *b, struct go_runtime *out, char why[GO_WHY])
{
	const struct go_build *build = go_binary_build(b);
	struct go_runtime r = {0};
	int err;

	why[0] = 0;
	if (!go_code_is_known(b, why))
		return -ENOTSUP;
	if (build->minor >= 0 && build->minor < GO_MINOR_FIRST) {
		snprintf(why, GO_WHY, "Go 1.%d is too old: 1.%d is the first that can be read", build->minor,
			 GO_MINOR_FIRST);
		return -ENOTSUP;
	}
	err = resolve_layout(b, &r, why);
	if (err)
		return err;
	if (!go_code_tls(b, &r.tls)) {
		snprintf(why, GO_WHY, "where its threads keep their goroutine was not found");
		return -ENOTSUP;
	}
	resolve_functions(b, &r.functions);
	err = go_globals_find(b, &r.layout, &r.globals);
	if (!err)
		err = go_sites_find(b, &r);
	if (!err)
		*out = r;
	return err;
}

/*
 * runtime.timeHistogram (Go: src/runtime/histogram.go). Until 1.19 the first row of buckets is 1 ns wide each
 * and every further row doubles: 45 rows of 16. From 1.20 on the buckets of the first row are 64 ns wide: 40
 * rows of 4.
 */
enum { OLD_SUB = 16, OLD_ROWS = 45, NEW_ROWS = 40, NEW_SHIFT = 6 };

uint32_t go_runtime_hist_cnt(const struct go_layout *l)
{
	return l->hist_sub == OLD_SUB ? OLD_SUB * OLD_ROWS : (uint32_t)l->hist_sub * NEW_ROWS;
}

bool go_runtime_hist_bucket(const struct go_layout *l, uint32_t index, uint64_t *lo_ns, uint64_t *hi_ns)
{
	unsigned int shift = l->hist_sub == OLD_SUB ? 0 : NEW_SHIFT;

	if (index >= go_runtime_hist_cnt(l))
		return false;

	uint32_t row = index / l->hist_sub, sub = index % l->hist_sub;

	if (row) {
		shift += row - 1;
		sub += l->hist_sub;
	}
	*lo_ns = (uint64_t)sub << shift;
	*hi_ns = (uint64_t)(sub + 1) << shift;
	return true;
}
