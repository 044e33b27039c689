/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <locale.h>

#include "base/err.h"
#include "cli.h"

int main(int argc, char **argv)
{
	struct cli cli;
	int status;

	/* What characters the terminal can show; numbers stay those of the C locale. */
	setlocale(LC_CTYPE, "");
	cli_parse(argc, argv, &cli);
	talk_quiet(cli.quiet);
	status = cli.command->run(&cli);
	cli_done(&cli);
	return status;
}
