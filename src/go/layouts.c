/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "layouts.h"

#include <stddef.h>

#define NO GO_NO_OFFSET
#define AT(at, ...) [GO_AT_##at] = {#at, {__VA_ARGS__}},

/*
 * From the debug information of what each version built (tools/go/layouts prints these rows), but 1.17, 1.18
 * and 1.20: computed from the declarations in their sources, a method that gives 1.19 and 1.21 right.
 */
const struct go_at_row go_at_rows[GO_AT_CNT] = {
	/* Go 1.                          17    18    19    20    21    22    23    24    25    26    27 */
	AT(g_status,                    144,  144,  144,  144,  144,  144,  152,  152,  144,  144,  144)
	AT(g_sched_bp,                  104,  104,  104,  104,  104,  104,  104,  104,   96,   96,   96)
	AT(g_tracking,                  188,  188,  188,  188,  187,  190,  198,  198,  190,  190,  190)
	AT(g_stamp,                     192,  192,  192,  192,  192,  192,  200,  200,  192,  192,  192)
	AT(g_lockedm,                   232,  232,  232,  232,  208,  208,  216,  216,  208,  208,  208)
	AT(g_gopc,                      296,  296,  296,  296,  280,  280,  288,  288,  280,  288,  288)
	AT(g_startpc,                   312,  312,  312,  312,  296,  296,  304,  304,  296,  304,  304)
	AT(g_waiting,                   328,  328,  328,  328,  312,  312,  320,  320,  312,  320,  320)
	AT(g_labels,                    360,  360,  360,  360,  344,  344,  352,  352,  344,  352,  352)
	AT(m_procid,                     72,   72,   72,   72,   72,   72,   72,   72,   64,   64,   64)
	AT(m_curg,                      192,  192,  192,  192,  192,  192,  192,  192,  184,  184,  184)
	AT(m_p,                         208,  208,  208,  208,  208,  208,  208,  208,  200,  208,  208)
	AT(m_spinning,                  276,  276,  276,  276,  276,  276,  276,  276,  268,  276,  276)
	AT(m_blocked,                   277,  277,  277,  277,  277,  277,  277,  277,  269,  277,  277)
	AT(m_incgo,                     280,  280,  280,  280,  280,  280,  280,  280,  272,  280,  280)
	AT(m_park,                      336,  328,  328,  328,  328,  320,  320,  320,  336,  344,  344)
	AT(m_alllink,                   344,  336,  336,  336,  336,  328,  328,  328,  344,  352,  352)
	AT(m_lockedg,                   360,  352,  352,  352,  352,  344,  344,  344,  360,  384,  384)
	AT(p_m,                          56,   56,   56,   56,   56,   56,   48,   48,   48,   48,   48)
	AT(p_goidcache,                1504,  384,  384,  384,  384,  384,  376,  376,  376,  384,  384)
	AT(p_runqhead,                 1520,  400,  400,  400,  400,  400,  392,  392,  392,  400,  400)
	AT(p_runnext,                  3576, 2456, 2456, 2456, 2456, 2456, 2448, 2448, 2448, 2456, 2456)
	AT(p_timers_len,               9960, 8840, 8848, 8840, 8848, 8880, 8856, 8856, 9408, 13688, 13688)
	AT(sched_nmidle,                 40,   40,   40,   40,   40,   40,   40,   40,   48,   64,   64)
	AT(sched_npidle,                 88,   88,   88,   88,   88,   88,   88,   88,   96,  112,  112)
	AT(sched_nmspinning,             92,   92,   92,   92,   92,   92,   92,   92,  100,  116,  116)
	AT(sched_runqsize,              112,  112,  112,  120,  120,  120,  120,  120,  128,  144,  144)
	AT(sched_gcwaiting,             256,  224,  224,  232,  232,  232,  232,  232,  248,  264,  264)
	AT(sched_timeToRun,             360,  312,  312,  320,  320,  320,  320,  320,  344,  360,  360)
	AT(sched_totalMutexWaitTime,     NO,   NO,   NO, 1624, 1624, 1624, 1624, 1624, 1648, 1664, 1664)
	AT(sched_stwStoppingTimeGC,      NO,   NO,   NO,   NO,   NO, 1632, 1632, 1632, 1656, 1672, 1672)
	AT(sched_stwStoppingTimeOther,   NO,   NO,   NO,   NO,   NO, 2928, 2928, 2928, 2952, 2968, 2968)
	AT(sched_stwTotalTimeGC,         NO,   NO,   NO,   NO,   NO, 4224, 4224, 4224, 4248, 4264, 4264)
	AT(sched_stwTotalTimeOther,      NO,   NO,   NO,   NO,   NO, 5520, 5520, 5520, 5544, 5560, 5560)
	AT(timer_when,                    8,    8,    8,    8,    8,    8,   16,   16,   24,   24,   24)
	AT(timer_period,                 16,   16,   16,   16,   16,   16,   24,   24,   32,   32,   32)
	AT(timer_f,                      24,   24,   24,   24,   24,   24,   32,   32,   40,   40,   40)
	AT(timer_arg,                    32,   32,   32,   32,   32,   32,   40,   40,   48,   48,   48)
	AT(hchan_recvq,                  56,   56,   56,   56,   56,   56,   64,   64,   64,   64,   64)
	AT(pollDesc_rg,                  24,   24,   24,   24,   32,   32,   32,   32,   32,   32,   32)
	AT(pollDesc_wg,                  32,   32,   32,   32,   40,   40,   40,   40,   40,   40,   40)
	AT(g_size,                      392,  392,  392,  392,  408,  424,  432,  440,  440,  456,  456)
	AT(m_size,                     1024, 1008, 1008, 1000, 1008, 2024, 1760, 1808, 1816, 1824, 1832)
};

static const size_t places[GO_AT_CNT] = {
#define X(type, field, name) offsetof(struct go_layout, type##_##field),
	GO_OFFSETS(X)
#undef X
	offsetof(struct go_layout, g_size),
	offsetof(struct go_layout, m_size),
};

uint16_t go_layout_get(const struct go_layout *l, enum go_at at)
{
	return *(const uint16_t *)((const char *)l + places[at]);
}

void go_layout_set(struct go_layout *l, enum go_at at, uint16_t value)
{
	*(uint16_t *)((char *)l + places[at]) = value;
}

void go_layout_of_table(int minor, struct go_layout *out)
{
	int known = minor < GO_MINOR_FIRST || minor > GO_MINOR_LAST ? GO_MINOR_LAST : minor;

	*out = (struct go_layout){
		.timer_arg_no = known < 23,
		.stw_args = known < 22 ? GO_STW_NONE : known < 23 ? GO_STW_START : GO_STW_ALL,
		.stw_reason = known >= 21,
		.hist_sub = known < 20 ? 16 : 4,
		.waitreason_lock_only_by_stack = known < 20,
		.labels_map = known < 24,
	};
	for (size_t at = 0; at < GO_AT_CNT; at++)
		go_layout_set(out, at, go_at_rows[at].by_minor[known - GO_MINOR_FIRST]);
}
