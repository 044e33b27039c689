/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "target_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Larger ones are not mapped: 4 GiB. */
static const off_t FILE_MAX = (off_t)1 << 32;

/* Opens what an O_PATH descriptor stands for, which it closes: only now, when it is known to be harmless. */
static int open_for_reading(int place, struct stat *is)
{
	char self[40];
	struct stat st;
	int fd;

	if (place < 0)
		return place;
	if (fstat(place, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		close(place);
		return -EINVAL;
	}
	snprintf(self, sizeof(self), "/proc/self/fd/%d", place);
	fd = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	close(place);
	if (is)
		*is = st;
	return fd;
}

/* Links are followed as the target sees them: from its own root, and not out of it. */
static int open_in_root(int root, const char *path, struct stat *is)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	long place = syscall(SYS_openat2, root, path, &how, sizeof(how));

	return place < 0 ? -errno : open_for_reading(place, is);
}

static int open_from(int dir, const char *root_path, const char *path, struct stat *is)
{
	int root = openat(dir, root_path, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	if (root < 0)
		return -errno;
	fd = open_in_root(root, path, is);
	close(root);
	return fd;
}

int target_open_path(int proc, const char *path, struct stat *is)
{
	return open_from(proc, "root", path, is);
}

int target_open_ours(const char *path, struct stat *is)
{
	return open_from(AT_FDCWD, "/", path, is);
}

int target_open_mapped(int proc, uint64_t lo, uint64_t hi, const char *path, uint64_t inode)
{
	char link[64];
	struct stat is;
	int fd;

	snprintf(link, sizeof(link), "map_files/%" PRIx64 "-%" PRIx64, lo, hi);
	fd = openat(proc, link, O_PATH | O_CLOEXEC);
	if (fd >= 0)
		return open_for_reading(fd, NULL);
	fd = target_open_path(proc, path, &is);
	if (fd >= 0 && is.st_ino != inode) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

uint64_t target_read(int proc, uint64_t addr, void *to, uint64_t len)
{
	int fd = openat(proc, "mem", O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return 0;
	got = pread(fd, to, len, (off_t)addr);
	close(fd);
	return got < 0 ? 0 : (uint64_t)got;
}
