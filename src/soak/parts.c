/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/err.h"
#include "../trace/writer.h"

#define SUFFIX ".wlag"
/* What the digits of a name stand for. */
#define STAMP "dddddddd" "T" "dddddd"

enum { SAME_SECOND_MAX = 1000 };

/* NAME without the suffix: its length. */
static size_t stem_len(const char *name)
{
	size_t len = strlen(name), suffix = strlen(SUFFIX);

	return len > suffix && !strcmp(name + len - suffix, SUFFIX) ? len - suffix : len;
}

/* Not over one that is there. */
static int give_name(const char *from, const char *to)
{
	if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL)	/* what file systems say that don't know it */
		return -errno;
	if (!access(to, F_OK))
		return -EEXIST;
	return rename(from, to) ? -errno : 0;
}

/* One try. -EEXIST: the name is taken. */
static int make(const char *path, struct recording_writer **out)
{
	char unnamed[PART_PATH_MAX + 8];
	struct recording_writer *w;
	int fd, err;

	if (!access(path, F_OK))
		return -EEXIST;
	snprintf(unnamed, sizeof(unnamed), "%s.part", path);
	fd = open(unnamed, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return -EEXIST;
	if (fd < 0) {
		err = fail(-errno, "recording: '%s': open", path);
		hint_file(err);
		return err;
	}
	err = writer_open_fd(fd, path, &w);
	if (!err) {
		err = give_name(unnamed, path);
		if (err && err != -EEXIST)
			fail(err, "recording: '%s': rename", path);
		if (err)
			writer_close(w);
	}
	if (err)
		unlink(unnamed);
	else
		*out = w;
	return err;
}

int part_open(const char *name, int64_t realtime_ns, char path[PART_PATH_MAX], struct recording_writer **out)
{
	time_t seconds = realtime_ns / 1000000000;
	char stamp[32], again[16] = "";
	struct tm tm;
	int err = -EEXIST;

	if (stem_len(name) + sizeof(stamp) + sizeof(again) + sizeof(SUFFIX) > PART_PATH_MAX)
		return fail(-ENAMETOOLONG, "recording: '%s': open", name);
	gmtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
	for (int i = 1; err == -EEXIST && i <= SAME_SECOND_MAX; i++) {
		if (i > 1)
			snprintf(again, sizeof(again), "_%d", i);
		snprintf(path, PART_PATH_MAX, "%.*s-%s%s" SUFFIX, (int)stem_len(name), name, stamp, again);
		err = make(path, out);
	}
	return err == -EEXIST ? fail(err, "recording: '%s': open", path) : err;
}

/* "-20261121T120000.wlag", perhaps with _N */
static bool is_stamp(const char *text)
{
	if (*text++ != '-')
		return false;
	for (const char *form = STAMP; *form; form++, text++)
		if (*form == 'd' ? *text < '0' || *text > '9' : *text != *form)
			return false;
	if (*text == '_')
		text += 1 + strspn(text + 1, "0123456789");
	return !strcmp(text, SUFFIX);
}

/* The number behind the second: 1 if there is none. */
static long number_of(const char *name, size_t stem)
{
	const char *at = name + stem + 1 + strlen(STAMP);

	return *at == '_' ? strtol(at + 1, NULL, 10) : 1;
}

struct found {
	char **names;
	size_t cnt, stem;
};

static int by_age(const void *a, const void *b, void *ctx)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	size_t stem = *(size_t *)ctx;
	int order = strncmp(x + stem, y + stem, 1 + strlen(STAMP));

	if (order)
		return order;
	return number_of(x, stem) < number_of(y, stem) ? -1 : 1;
}

static int find(DIR *dir, const char *base, struct found *out)
{
	for (struct dirent *e; (e = readdir(dir));) {
		char **names;

		if (strncmp(e->d_name, base, out->stem) || !is_stamp(e->d_name + out->stem))
			continue;
		names = reallocarray(out->names, out->cnt + 1, sizeof(*names));
		if (!names)
			return -ENOMEM;
		out->names = names;
		names[out->cnt] = strdup(e->d_name);
		if (!names[out->cnt])
			return -ENOMEM;
		out->cnt++;
	}
	return 0;
}

int part_expire(const char *name, const char *current, size_t keep)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
	const char *mine = strrchr(current, '/') ? strrchr(current, '/') + 1 : current;
	char path[PART_PATH_MAX];
	struct found found = {.stem = stem_len(name) - (size_t)(base - name)};
	DIR *dir;
	int err;

	snprintf(path, sizeof(path), "%.*s", slash ? (int)(base - name) : 1, slash ? name : ".");
	dir = opendir(path);
	err = dir ? find(dir, base, &found) : -errno;
	if (!err)
		qsort_r(found.names, found.cnt, sizeof(*found.names), by_age, &found.stem);
	for (size_t i = 0; !err && i + keep < found.cnt; i++) {
		if (strcmp(found.names[i], mine) && unlinkat(dirfd(dir), found.names[i], 0) && errno != ENOENT)
			err = -errno;
	}
	if (err)
		fail(err, "recording: '%s': cannot delete its old files", name);
	for (size_t i = 0; i < found.cnt; i++)
		free(found.names[i]);
	free(found.names);
	if (dir)
		closedir(dir);
	return err;
}
