/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the server itself costs, as families of metrics. */
#pragma once

#include "../export/exposition.h"

struct export_opts;

struct self {
	uint64_t records;	/* taken so far */
	const struct export_opts *facts;	/* for what the kernel's side costs */
};

void self_write(struct om *o, const struct self *self);
