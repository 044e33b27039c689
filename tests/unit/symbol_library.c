/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What symbol_target loads late: exports one function, keeps another to itself. */

void library_function(void (*fn)(void));

static volatile int calls;

static __attribute__((noinline)) void library_inner(void (*fn)(void))
{
	fn();
	calls++;
}

void library_function(void (*fn)(void))
{
	library_inner(fn);
	calls++;
}
