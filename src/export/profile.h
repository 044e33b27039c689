/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What profiles have in common, whatever their format: which samples, and what a sample's frames and labels are called. */
#pragma once

#include "../stats/stacks.h"
#include "export.h"
#include "text.h"

/*
 * The metrics whose samples a profile has, as a mask: those that were asked for, else one: the same wait is a sample of
 * several, so that together they count it twice. Says which on stderr.
 */
unsigned int profile_metrics(const struct tables *t, const char *format);

/* A frame; texts are escaped, "" where they are not known. */
struct profile_frame {
	char func[TEXT_SZ];	/* "[mutex]": a class instead of a stack */
	char file[TEXT_SZ];
	char module[TEXT_SZ];
	uint64_t address;	/* of a function without a name, else 0 */
	uint32_t line;
};

bool profile_has_stack(const struct names *n, const struct stack_row *r);
/* Frame i, the innermost first; false: no more. Without a stack the class is the only one. */
bool profile_frame(const struct names *n, const struct stack_row *r, size_t i, struct profile_frame *out);

/* The name of the row's thread, or of the function that its goroutine was created with, escaped. */
const char *profile_whose(const struct names *n, const struct stack_row *r, char *buf, size_t size);
