/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The commands, one file each. All return an exit status; what went wrong was told on stderr. */
#pragma once

#define WAKELAG_VERSION "0.1"

struct cli;
struct recording;

int cmd_main(const struct cli *cli);
int cmd_record(const struct cli *cli);
int cmd_report(const struct cli *cli);
int cmd_export(const struct cli *cli);
int cmd_diff(const struct cli *cli);
int cmd_top(const struct cli *cli);
int cmd_serve(const struct cli *cli);
int cmd_gate(const struct cli *cli);
int cmd_doctor(const struct cli *cli);

/*
 * Records to -o, or to a file that nobody sees, and opens what was recorded, also if the command after --
 * failed (EXIT_CMD). An exit status; of all others there is no recording.
 */
int record_and_open(const struct cli *cli, struct recording **out);

/*
 * Not for users: what `make install` puts beside the program, what doctor --verify runs, and what tests and whoever
 * looks for a fault read a recording with.
 */
int cmd_print_man(const struct cli *cli);
int cmd_print_completion(const struct cli *cli);
int cmd_print_records(const struct cli *cli);
int cmd_verify_loop(const struct cli *cli);
