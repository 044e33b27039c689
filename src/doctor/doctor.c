/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "doctor.h"

#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "../export/text.h"

void doctor_say(struct doctor *d, const struct check *c, enum doctor_state state, const char *fmt, ...)
{
	static const char *const states[DOCTOR_STATE_CNT] = {
		[DOCTOR_OK] = "ok", [DOCTOR_NOTE] = "note", [DOCTOR_ABSENT] = "absent", [DOCTOR_PROBLEM] = "problem",
	};
	char raw[512], text[TEXT_SZ];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	text_escape(raw, text, sizeof(text));
	fprintf(d->out, "%-8s %-16s %s\n", states[state], c->name, text);
	d->cnt[state]++;
	if (state == DOCTOR_OK || !c->remedy || c->remedy == d->remedy)
		return;
	fprintf(d->out, "%-8s %-16s -> %s\n", "", "", c->remedy);
	d->remedy = c->remedy;
}

bool doctor_read(char *buf, size_t size, const char *path_fmt, ...)
{
	char path[512];
	va_list ap;
	bool has;
	FILE *f;

	va_start(ap, path_fmt);
	vsnprintf(path, sizeof(path), path_fmt, ap);
	va_end(ap);
	f = fopen(path, "re");
	if (!f)
		return false;
	has = fgets(buf, (int)size, f);
	fclose(f);
	if (has)
		buf[strcspn(buf, "\n")] = '\0';
	return has;
}

/* gzopen also reads what is not compressed. */
static gzFile open_config(void)
{
	gzFile f = gzopen("/proc/config.gz", "re");
	struct utsname u = {};
	char path[128];

	if (f)
		return f;
	uname(&u);
	snprintf(path, sizeof(path), "/boot/config-%s", u.release);
	return gzopen(path, "re");
}

bool doctor_config(const char *name, char *buf, size_t size)
{
	gzFile f = open_config();
	size_t len = strlen(name);
	char line[1024];

	if (!f)
		return false;
	*buf = '\0';
	while (gzgets(f, line, sizeof(line))) {
		if (strncmp(line, name, len) || line[len] != '=')
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(buf, size, "%s", line + len + 1);
	}
	gzclose(f);
	return true;
}
