/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* "METRIC > TIME [for NAME-GLOB]": which samples are to be looked into. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../model/names.h"
#include "../model/span.h"

struct trigger {
	char *text;		/* as it was given */
	enum metric metric;
	bool or_equal;		/* >= */
	uint64_t limit_ns;
	char *glob;		/* NULL: any name */
};

/* Fills out, or says what is wrong and where (to why, static). 0 or -EINVAL, -ENOMEM. */
int trigger_parse(const char *text, struct trigger *out, const char **why);
void trigger_done(struct trigger *t);
/* "METRIC > TIME [for NAME-GLOB]; METRIC is one of ...", to buf, which it returns. */
const char *trigger_syntax(char *buf, size_t size);

/* Whether it is about this sample, and whether that trips it. */
bool trigger_is_about(const struct trigger *t, const struct span *s, const struct names *names);
bool trigger_trips(const struct trigger *t, uint64_t latency_ns);
/* The name of a sample's thread, goroutine or process, as the tables have it; "" if not known. */
const char *trigger_name(const struct span *s, const struct names *names);
