/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "palette.h"

#include <math.h>
#include <stdio.h>

/* Viridis at 0, 0.1 to 0.8, from there backwards: what is brighter is not seen well on white. */
static const unsigned char stops[][3] = {
	{0x7a, 0xd1, 0x51}, {0x44, 0xbf, 0x70}, {0x22, 0xa8, 0x84}, {0x21, 0x91, 0x8c}, {0x2a, 0x78, 0x8e},
	{0x35, 0x5f, 0x8d}, {0x41, 0x44, 0x87}, {0x48, 0x24, 0x75}, {0x44, 0x01, 0x54},
};

const char *palette_hex(unsigned int step, char buf[8])
{
	enum { PARTS = sizeof(stops) / sizeof(*stops) - 1 };
	unsigned int at = step < PALETTE_STEPS ? step * PARTS : (PALETTE_STEPS - 1) * PARTS;
	unsigned int from = at / (PALETTE_STEPS - 1), part = at % (PALETTE_STEPS - 1), rgb[3];
	unsigned int to = from < PARTS ? from + 1 : from;

	for (int i = 0; i < 3; i++) {
		unsigned int left = PALETTE_STEPS - 1 - part;

		rgb[i] = (stops[from][i] * left + stops[to][i] * part + (PALETTE_STEPS - 1) / 2) / (PALETTE_STEPS - 1);
	}
	snprintf(buf, 8, "#%02x%02x%02x", rgb[0] & 255, rgb[1] & 255, rgb[2] & 255);
	return buf;
}

unsigned int palette_step(uint64_t v, uint64_t lo, uint64_t hi)
{
	double base = lo ? (double)lo : 1;

	if (v <= lo || (double)hi <= base)
		return v <= lo && lo < hi ? 0 : PALETTE_STEPS - 1;
	double share = log((double)v / base) / log((double)hi / base);

	return share >= 1 ? PALETTE_STEPS - 1 : share <= 0 ? 0 : (unsigned int)(share * (PALETTE_STEPS - 1) + 0.5);
}
