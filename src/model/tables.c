/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "span.h"

const struct metric_info metrics[METRIC_CNT] = {
#define X(id, metric_name, metric_entity, metric_stages, metric_help) \
	[METRIC_##id] = {.name = metric_name, .entity = ENTITY_##metric_entity, .stages = metric_stages, \
			 .help = metric_help},
	METRICS(X)
#undef X
};

const char *const stage_names[STAGE_CNT] = {
#define X(id, name, help) [STAGE_##id] = name,
	STAGES(X)
#undef X
};

const char *const stage_helps[STAGE_CNT] = {
#define X(id, name, help) [STAGE_##id] = help,
	STAGES(X)
#undef X
};

const char *const blame_names[BLAME_CNT] = {
#define X(id, name, help) [BLAME_##id] = name,
	BLAME_KINDS(X)
#undef X
};

const char *const blame_helps[BLAME_CNT] = {
#define X(id, name, help) [BLAME_##id] = help,
	BLAME_KINDS(X)
#undef X
};

const char *const entity_counter_names[ECOUNT_CNT] = {
#define X(id, name, help) [ECOUNT_##id] = name,
	ENTITY_COUNTERS(X)
#undef X
};

const char *const entity_counter_helps[ECOUNT_CNT] = {
#define X(id, name, help) [ECOUNT_##id] = help,
	ENTITY_COUNTERS(X)
#undef X
};

const char *const gauge_names[GAUGE_CNT] = {
#define X(id, name, help) [GAUGE_##id] = name,
	GAUGES(X)
#undef X
};

const char *const gauge_helps[GAUGE_CNT] = {
#define X(id, name, help) [GAUGE_##id] = help,
	GAUGES(X)
#undef X
};

const char *const hold_names[HOLD_CNT] = {
#define X(id, name, help) [HOLD_##id] = name,
	HOLD_DOINGS(X)
#undef X
};

const char *const hold_helps[HOLD_CNT] = {
#define X(id, name, help) [HOLD_##id] = help,
	HOLD_DOINGS(X)
#undef X
};
