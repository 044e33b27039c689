/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Quantities as people write them. */
#pragma once

#include <stdint.h>

/* "500us", "2ms", "10s", "5m", "1h", "1d", "1.5s": ns. 0, or -EINVAL: no unit, unknown unit, no number. */
int parse_time(const char *text, uint64_t *out);
/* "65536", "64K", "16M", "1G", also with B or iB behind: bytes. 0 or -EINVAL. */
int parse_size(const char *text, uint64_t *out);
/* A plain number in [min, max]. 0 or -EINVAL. */
int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);
