/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "../base/err.h"

static int in_use(const char *path, int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		text[0] = '\0';
	fail(-EBUSY, "--pidfile: '%s': pid %ld has it", path, strtol(text, NULL, 10));
	hint("one recording for each such file: end that one, or give another name");
	return -EBUSY;
}

int pidfile_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644), err;

	if (fd < 0) {
		err = fail(-errno, "--pidfile: '%s': open", path);
		hint_file(err);
		return err;
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		err = errno == EWOULDBLOCK ? in_use(path, fd) : fail(-errno, "--pidfile: '%s': lock", path);
		close(fd);
		return err;
	}
	if (ftruncate(fd, 0) || dprintf(fd, "%d\n", getpid()) < 0) {
		err = fail(-errno, "--pidfile: '%s': write", path);
		hint_file(err);
		pidfile_close(path, fd);
		return err;
	}
	return fd;
}

void pidfile_close(const char *path, int fd)
{
	if (fd < 0)
		return;
	unlink(path);
	close(fd);
}
