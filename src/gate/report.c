/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/err.h"
#include "../export/about.h"
#include "../export/text.h"
#include "../model/model.h"
#include "evidence.h"
#include "gate.h"

const char *gate_counts(const struct gate *g, char *buf, size_t size)
{
	snprintf(buf, size, "%zu passed, %zu failed, %zu inconclusive", g->of[RESULT_PASS], g->of[RESULT_FAIL],
		 g->of[RESULT_INCONCLUSIVE]);
	return buf;
}

const char *gate_what(const struct gate *g, char *buf, size_t size)
{
	char target[700], length[32], share[32], loss[48] = "none lost";

	about_target(&g->about, target, sizeof(target));
	text_ns(g->samples.length_ns, length, sizeof(length));
	if (g->lost)
		snprintf(loss, sizeof(loss), "%s lost", budget_value_text(UNIT_SHARE, g->loss, share, sizeof(share)));
	snprintf(buf, size, "%s%s%s, %s", target, *target ? ", " : "", length, loss);
	return buf;
}

static void put_verdict(const struct gate *g, const struct verdict *v, FILE *out)
{
	static const char *const words[RESULT_CNT] = {
		[RESULT_PASS] = "pass", [RESULT_FAIL] = "FAIL", [RESULT_INCONCLUSIVE] = "inconclusive",
	};
	char text[TEXT_SZ], evidence[EVIDENCE_SZ];

	text_escape(v->text, text, sizeof(text));
	fprintf(out, "%-12s %s", words[v->result], text);
	evidence_estimate(v, evidence, sizeof(evidence));
	fprintf(out, *evidence ? ": %s\n" : "\n", evidence);
	text_escape(v->why, text, sizeof(text));
	if (*v->why)
		fprintf(out, "%13s%s\n", "", text);
	for (size_t i = 0; v->result != RESULT_PASS && v->series && i < v->series->worst_cnt; i++)
		fprintf(out, "%12s %s\n", i ? "" : "worst", evidence_worst(v, &v->series->worst[i],
			model_names(g->view.model), evidence, sizeof(evidence)));
}

void gate_text(const struct gate *g, FILE *out)
{
	char raw[TEXT_SZ], text[TEXT_SZ];

	gate_what(g, raw, sizeof(raw));
	text_escape(raw, text, sizeof(text));
	fprintf(out, "%s\n\n", text);
	for (size_t i = 0; i < g->cnt; i++)
		put_verdict(g, &g->verdicts[i], out);
	fprintf(out, "\n%s\n", gate_counts(g, text, sizeof(text)));
}

static const struct {
	int (*write)(const struct gate *g, FILE *out);
} reports[REPORT_CNT] = {
	[REPORT_JUNIT] = {gate_junit}, [REPORT_MARKDOWN] = {gate_markdown}, [REPORT_JSON] = {gate_json},
	[REPORT_METRICS] = {gate_metrics},
};

/* Whole, or not at all: written under another name, and renamed. What is no file is written to. */
static int write_file(const struct gate *g, enum gate_report report, const char *path)
{
	bool is_device = !access(path, F_OK) && !strncmp(path, "/dev/", 5);
	char *part = NULL;
	FILE *f;
	int err;

	if (asprintf(&part, "%s%s", path, is_device ? "" : ".part") < 0)
		return -ENOMEM;
	f = fopen(part, "we");
	err = f ? reports[report].write(g, f) : -errno;
	if (f && !err && (fflush(f) || ferror(f)))
		err = errno ? -errno : -EIO;
	if (f && fclose(f) && !err)
		err = -errno;
	if (!err && !is_device && rename(part, path))
		err = -errno;
	if (err && f && !is_device)
		unlink(part);
	free(part);
	return err;
}

int gate_write(const struct gate *g, enum gate_report report, const char *path)
{
	int err;

	if (strcmp(path, "-")) {
		err = write_file(g, report, path);
	} else {
		err = reports[report].write(g, stdout);
		if (!err && fflush(stdout))
			err = -errno;
		path = "stdout";
	}
	if (err) {
		fail(err, "'%s': cannot write", path);
		hint_file(err);
	}
	return err;
}
