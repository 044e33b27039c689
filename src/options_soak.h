/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Setters of the options of long recordings, for the rows of options.c; see struct option_row. */
#pragma once

struct cli;

const char *set_wait_for(struct cli *cli, const char *value);
const char *set_rt(struct cli *cli, const char *value);
const char *set_nice(struct cli *cli, const char *value);
const char *set_rotate(struct cli *cli, const char *value);
const char *set_keep(struct cli *cli, const char *value);
const char *set_max_size(struct cli *cli, const char *value);
const char *set_keep_last(struct cli *cli, const char *value);
const char *set_trigger(struct cli *cli, const char *value);
const char *set_cooldown(struct cli *cli, const char *value);
const char *set_dumps(struct cli *cli, const char *value);
const char *set_pidfile(struct cli *cli, const char *value);
