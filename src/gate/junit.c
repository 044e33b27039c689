/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * JUnit XML as Jenkins, GitLab and GitHub's actions take it (tests/gate/junit.xsd): a test case a budget. A
 * failure is a <failure>; inconclusive is <skipped>, as these programs show it as neither good nor bad: an
 * <error> would make a noisy machine look like a broken program. The exit status tells it apart.
 */
#include <string.h>
#include <time.h>

#include "../export/about.h"
#include "../export/text.h"
#include "../model/model.h"
#include "evidence.h"
#include "gate.h"
#include "report.h"

/* Text without control characters, see text_escape(). */
static void put_raw(const char *raw, FILE *out)
{
	char text[TEXT_SZ];

	text_escape(raw, text, sizeof(text));
	text_put_xml(text, out);
}

static void put_property(const char *name, const char *raw, FILE *out)
{
	if (!raw)
		return;
	fprintf(out, "      <property name=\"%s\" value=\"", name);
	put_raw(raw, out);
	fputs("\"/>\n", out);
}

static void put_properties(const struct gate *g, FILE *out)
{
	static const char *const facts[] = {"host.name", "host.kernel", "host.arch", "host.cpus", "target", "options"};
	char loss[64];

	fputs("    <properties>\n", out);
	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++)
		put_property(facts[i], about_fact(&g->about, facts[i]), out);
	snprintf(loss, sizeof(loss), "%.4g%%", g->loss * 100);
	put_property("loss", loss, out);
	snprintf(loss, sizeof(loss), "%llu", (unsigned long long)g->lost);
	put_property("lost", loss, out);
	put_property("end", about_end_word(g->about.info), out);
	fputs("    </properties>\n", out);
}

static void put_worst(const struct gate *g, const struct verdict *v, FILE *out)
{
	char text[EVIDENCE_SZ];

	for (size_t i = 0; v->series && i < v->series->worst_cnt; i++) {
		fputs(i ? "\n" : "worst samples:\n", out);
		text_put_xml(evidence_worst(v, &v->series->worst[i], model_names(g->view.model), text, sizeof(text)), out);
	}
}

static void put_case(const struct gate *g, const struct verdict *v, FILE *out)
{
	double seconds = (double)g->samples.length_ns / 1e9;
	char text[EVIDENCE_SZ];

	fputs("    <testcase classname=\"wakelag\" name=\"", out);
	put_raw(v->text, out);
	fprintf(out, "\" time=\"%.3f\">\n", seconds);
	if (v->result != RESULT_PASS) {
		const char *element = v->result == RESULT_FAIL ? "failure" : "skipped";

		fprintf(out, "      <%s message=\"", element);
		put_raw(v->why, out);
		fputs(v->result == RESULT_FAIL ? "\" type=\"over-budget\">" : "\">", out);
		put_worst(g, v, out);
		fprintf(out, "</%s>\n", element);
	}
	evidence_estimate(v, text, sizeof(text));
	fputs("      <system-out>", out);
	text_put_xml(text, out);
	if (v->result == RESULT_PASS && v->series) {
		fputs("\n", out);
		put_worst(g, v, out);
	}
	fputs("</system-out>\n    </testcase>\n", out);
}

/* xs:dateTime, of the recording's start. */
static const char *timestamp(const struct gate *g, char *buf, size_t size)
{
	const struct model_info *info = g->about.info;
	time_t start = (time_t)((int64_t)(info->start_ns + (uint64_t)info->realtime_off) / 1000000000);
	struct tm tm;

	if (!info->has_clock || !gmtime_r(&start, &tm) || !strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm) ||
	    tm.tm_year < 0 || tm.tm_year > 8099)	/* four digits */
		snprintf(buf, size, "1970-01-01T00:00:00");
	return buf;
}

int gate_junit(const struct gate *g, FILE *out)
{
	double seconds = (double)g->samples.length_ns / 1e9;
	char when[64], counts[160];

	snprintf(counts, sizeof(counts), "tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.3f\"", g->cnt,
		 g->of[RESULT_FAIL], g->of[RESULT_INCONCLUSIVE], seconds);
	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"wakelag gate\" %s>\n", counts);
	fprintf(out, "  <testsuite name=\"wakelag gate\" %s timestamp=\"%s\" hostname=\"", counts, timestamp(g, when, sizeof(when)));
	put_raw(about_fact(&g->about, "host.name") ? about_fact(&g->about, "host.name") : "unknown", out);
	fputs("\">\n", out);
	put_properties(g, out);
	for (size_t i = 0; i < g->cnt; i++)
		put_case(g, &g->verdicts[i], out);
	fputs("  </testsuite>\n</testsuites>\n", out);
	return 0;
}
