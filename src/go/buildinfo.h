/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What `go version -m` prints of a program: the linker's build information, as debug/buildinfo documents it. */
#pragma once

#include "image.h"

struct buildinfo {
	char version[64], experiments[128], path[200];	/* as struct go_build */
	char buildmode[16];	/* "" if not told: before Go 1.18, and by other build systems */
	int minor;
	bool pgo;
};

/* Whether there is any: every program of the Go linker has it since 1.13. */
bool buildinfo_exists(const struct image *im);
/* Reads it from a relocated image. 0, or -ENOTSUP: none, or damaged. */
int buildinfo_read(const struct image *im, struct buildinfo *out, char why[GO_WHY]);
