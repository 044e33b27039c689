/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#pragma once

/*
 * The id of a trace event ("syscalls/sys_exit_futex"), or -errno. Where tracefs is not mounted it is
 * opened through a mount of our own that nobody else sees (needs CAP_SYS_ADMIN, kernel 5.2).
 */
int tracefs_event_id(const char *event);
