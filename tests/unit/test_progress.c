/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The progress line: on a terminal only, wiped by what is said next. */
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "src/base/err.h"	/* before cmocka, which has a macro fail() */
#include "src/base/progress.h"

#include <cmocka.h>

/* What fn writes to stderr, a terminal of 40 columns. */
static const char *on_terminal(void (*fn)(void))
{
	static char text[1024];
	struct winsize size = {.ws_row = 24, .ws_col = 40};
	int master, slave, before = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	dup2(slave, STDERR_FILENO);
	fn();
	dup2(before, STDERR_FILENO);
	close(before);
	fcntl(master, F_SETFL, O_NONBLOCK);
	n = read(master, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(slave);
	close(master);
	return text;
}

/* As if it had begun 2 s ago. */
static struct progress begun(void)
{
	struct progress p;

	progress_begin(&p, "reading", 200);
	p.begun_ns -= 2000000000;
	return p;
}

static void half(void)
{
	struct progress p = begun();

	progress_at(&p, 100);
	progress_at(&p, 101);	/* too soon */
	talk("done");
}

static void no_sooner_than_a_second(void)
{
	struct progress p;

	progress_begin(&p, "reading", 200);
	progress_at(&p, 100);
	progress_end(&p);
}

static void nonsense(void)
{
	struct progress p = begun();

	progress_at(&p, 0);
	progress_at(&p, 201);
	p.whole = 0;
	progress_at(&p, 0);
	progress_end(&p);
}

static void long_line(void)
{
	talk_progress("%s", "123456789 123456789 123456789 123456789 123456789");
	talk_progress("%s", "");
}

static void when_quiet(void)
{
	talk_quiet(1);
	half();
	talk_quiet(0);
}

static void a_line_is_drawn_and_wiped(void **state)
{
	(void)state;
	assert_string_equal(on_terminal(half), "reading: 50%, 2s left\r\033[Kwakelag: done\r\n");
	assert_string_equal(on_terminal(long_line), "123456789 123456789 123456789 123456789\r\033[K");
}

static void nothing_is_drawn_without_need(void **state)
{
	(void)state;
	assert_string_equal(on_terminal(no_sooner_than_a_second), "");
	assert_string_equal(on_terminal(nonsense), "");
	assert_string_equal(on_terminal(when_quiet), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_drawn_and_wiped),
		cmocka_unit_test(nothing_is_drawn_without_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
