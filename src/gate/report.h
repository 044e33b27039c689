/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a gate found, for people and for programs. Names and options of the reports come from the rows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct gate;

/* X(id, option, help): the files of gate_opts.files */
#define GATE_REPORTS(X) \
	X(JUNIT, "junit", "verdicts as JUnit XML, a test case a budget") \
	X(MARKDOWN, "markdown", "verdicts as Markdown, for $GITHUB_STEP_SUMMARY") \
	X(JSON, "json", "verdicts as JSON, with all evidence") \
	X(METRICS, "metrics", "estimates as OpenMetrics text, for GitLab's metrics report")

enum gate_report {
#define X(id, option, help) REPORT_##id,
	GATE_REPORTS(X)
#undef X
	REPORT_CNT
};

/* The summary must stay under the 1 MiB that GitHub takes. */
enum { MARKDOWN_MAX = 1000000, ANNOTATIONS_MAX = 10 };

/* These write to out; what could not be written is seen by ferror(). Only gate_json() can fail else: -ENOMEM. */
void gate_text(const struct gate *g, FILE *out);
int gate_junit(const struct gate *g, FILE *out);
int gate_markdown(const struct gate *g, FILE *out);
int gate_json(const struct gate *g, FILE *out);
int gate_metrics(const struct gate *g, FILE *out);
/* Workflow commands of GitHub Actions, ::error and ::warning, the failures first. */
void gate_annotations(const struct gate *g, FILE *out);

/* Writes a report to path ("-": stdout). 0 or -errno, told on stderr. */
int gate_write(const struct gate *g, enum gate_report report, const char *path);

/* "2 passed, 1 failed, 1 inconclusive". Returns buf. */
const char *gate_counts(const struct gate *g, char *buf, size_t size);
/* "pid 12 on name, 10.0s, 0.01% lost", raw. Returns buf. */
const char *gate_what(const struct gate *g, char *buf, size_t size);
