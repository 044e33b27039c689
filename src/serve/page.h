/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The pages of the server. */
#pragma once

#include "http.h"

/* Their ctx is a struct live. */
extern const struct http_route page_routes[];
