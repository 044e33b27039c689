/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tables and totals as Prometheus reads them. Names of the families come from the tables of metrics and gauges. */
#pragma once

#include "export.h"
#include "exposition.h"

/* As exporter.run of export.h. */
int export_openmetrics(const struct tables *t, const struct names *n, const struct export_opts *o, FILE *out);
unsigned int openmetrics_needs(const struct export_opts *o);

/* All families that are of the target, in the order of metrics, without om_end(). */
void openmetrics_write(struct om *o, struct totals *t);
/* What is recorded, and since when; uses facts and info. */
void openmetrics_about(struct om *o, const struct export_opts *about);
