/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The commands, one file each. All return an exit status; what went wrong was told on stderr. */
#pragma once

#define WAKELAG_VERSION "0.1"

struct cli;

int cmd_main(const struct cli *cli);
int cmd_record(const struct cli *cli);
int cmd_report(const struct cli *cli);
int cmd_export(const struct cli *cli);
