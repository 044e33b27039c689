/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A file with our pid, for who starts and stops us; locked as long as we run, so that two never share one. */
#pragma once

/* The open file's fd; -EBUSY: another one runs; -errno. Failures are told. */
int pidfile_open(const char *path);
/* Removes it. */
void pidfile_close(const char *path, int fd);
