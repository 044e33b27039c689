/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What line_header.c needs of lines.c. */
#pragma once

#include "lines.h"

/* Runs the program once, for its marks. False: no memory, or too many; t is closed. */
bool lines_mark(struct line_table *t);
