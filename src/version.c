/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "version.h"

#include <sys/utsname.h>

#include "collect/features.h"
#include "commands.h"
#include "export/export.h"

void version_print(FILE *out, struct argp_state *state)
{
	struct features f = features_of_kernel();
	struct utsname u = {};
	char formats[256];

	(void)state;
	uname(&u);
	fprintf(out, "wakelag %s\n", WAKELAG_VERSION);
	fprintf(out, "kernel: Linux %s %s\n", u.release, u.machine);
	fprintf(out, "kernel types (BTF): %s\n", f.has_btf ? "yes" : "no");
	if (f.has_btf)
		fprintf(out, "task state in: %s\n", f.task_storage ? "task storage" : "a hash");
	fprintf(out, "libbpf: %s\n", f.libbpf);
	fprintf(out, "formats: %s\n", exporters_list(formats, sizeof(formats)));
}
