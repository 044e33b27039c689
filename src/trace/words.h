/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names of values of records' fields, in the text form. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct word {
	const char *name;
	uint64_t value;
};

/* Fields whose values have names. */
struct word_field {
	uint16_t kind;
	const char *field;
	bool is_mask;		/* names are bits, joined by '|' */
	const struct word *words;	/* up to a NULL name */
};

/* NULL: the field's values have no names. */
const struct word_field *words_of(unsigned int kind, const char *field);
