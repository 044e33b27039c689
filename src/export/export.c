/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "export.h"

#include <string.h>

#include "csv.h"
#include "folded.h"
#include "json.h"
#include "openmetrics.h"
#include "pprof.h"
#include "report.h"
#include "svg.h"

const char *const shape_names[SHAPE_CNT] = {
#define X(id, name, help) [SHAPE_##id] = name,
	SHAPES(X)
#undef X
};

const struct exporter exporters[] = {
	{.name = "csv", .suffix = ".csv", .run = export_csv, .needs = csv_needs,
	 .help = "a table, RFC 4180"},
	{.name = "text", .suffix = ".txt", .run = export_report, .needs = report_needs,
	 .help = "the report"},
	{.name = "svg", .suffix = ".svg", .run = export_svg, .needs = svg_needs,
	 .help = "a picture: heatmaps of the worst metric, or of --metric"},
	{.name = "json", .suffix = ".json", .run = export_json, .needs = json_needs,
	 .help = "the report as an object, or one --table as an array"},
	{.name = "openmetrics", .suffix = ".prom", .run = export_openmetrics, .needs = openmetrics_needs,
	 .help = "what Prometheus reads: buckets, sums and counters of the whole recording"},
	{.name = "pprof", .suffix = ".pb.gz", .run = export_pprof, .needs = pprof_needs, .is_binary = true,
	 .wants_stacks = true, .help = "for go tool pprof: waits by call stack, of lock.wait or --metric"},
	{.name = "folded", .suffix = ".folded", .run = export_folded, .needs = folded_needs, .wants_stacks = true,
	 .help = "for flamegraph.pl: ns by call stack, of lock.wait or --metric"},
	{.name = NULL},
};

const struct exporter *exporter_find(const char *name)
{
	for (const struct exporter *e = exporters; e->name; e++) {
		if (!strcmp(e->name, name))
			return e;
	}
	return NULL;
}

int table_find(const char *name)
{
	for (int i = 0; i < TABLE_CNT; i++) {
		if (!strcmp(table_infos[i].name, name))
			return i;
	}
	return -1;
}

int shape_find(const char *name)
{
	for (int i = 0; i < SHAPE_CNT; i++) {
		if (!strcmp(shape_names[i], name))
			return i;
	}
	return -1;
}

int metric_find(const char *name)
{
	for (int i = 0; i < METRIC_CNT; i++) {
		if (!strcmp(metrics[i].name, name))
			return i;
	}
	return -1;
}

/* Appends a name to the list in buf. */
static void list_add(char *buf, size_t size, const char *name)
{
	size_t at = strlen(buf);

	snprintf(buf + at, size - at, "%s%s", at ? ", " : "", name);
}

const char *exporters_list(char *buf, size_t size)
{
	*buf = '\0';
	for (const struct exporter *e = exporters; e->name; e++)
		list_add(buf, size, e->name);
	return buf;
}

const char *tables_list(char *buf, size_t size)
{
	*buf = '\0';
	for (size_t i = 0; i < TABLE_CNT; i++)
		list_add(buf, size, table_infos[i].name);
	return buf;
}

const char *shapes_list(char *buf, size_t size)
{
	*buf = '\0';
	for (size_t i = 0; i < SHAPE_CNT; i++)
		list_add(buf, size, shape_names[i]);
	return buf;
}

const char *metrics_list(unsigned int mask, char *buf, size_t size)
{
	*buf = '\0';
	for (size_t i = 0; i < METRIC_CNT; i++) {
		if (mask >> i & 1)
			list_add(buf, size, metrics[i].name);
	}
	return buf;
}
