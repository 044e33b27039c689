/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pprof_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void failed(struct pprof *p, int err)
{
	if (!p->err)
		p->err = err;
}

/* Gives bytes to the compressor, and what it makes of them to the file. */
static void squeeze(struct pprof *p, uint8_t *bytes, size_t len, int flush)
{
	uint8_t buf[16384];
	int got;

	p->z.next_in = bytes;
	p->z.avail_in = (uInt)len;
	do {
		p->z.next_out = buf;
		p->z.avail_out = sizeof(buf);
		got = deflate(&p->z, flush);
		if (got == Z_STREAM_ERROR)
			failed(p, -EINVAL);
		if (!p->err)
			fwrite(buf, 1, sizeof(buf) - p->z.avail_out, p->out);
	} while (!p->err && !p->z.avail_out);
}

void pprof_begin(struct pprof *p, const struct names *n, FILE *out)
{
	*p = (struct pprof){.n = n, .out = out};
	/* 16 more than the window: with the header of gzip, which has no time and no name. */
	p->is_open = deflateInit2(&p->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
	if (!p->is_open)
		failed(p, -ENOMEM);
	pprof_text(p, "");
}

void pprof_put(struct pprof *p, const Pprof__Profile *part)
{
	size_t len = pprof__profile__get_packed_size(part);

	if (p->err)
		return;
	if (len > p->room) {
		free(p->packed);
		p->room = 2 * len;
		p->packed = malloc(p->room);
	}
	if (!p->packed) {
		p->room = 0;
		failed(p, -ENOMEM);
		return;
	}
	pprof__profile__pack(part, p->packed);
	squeeze(p, p->packed, len, Z_NO_FLUSH);
}

int64_t pprof_text(struct pprof *p, const char *text)
{
	int64_t number = strings_add(&p->texts, text);

	if (number < 0)
		failed(p, -ENOMEM);
	return number < 0 ? 0 : number;
}

/* Of the row of a key, 0 without memory. */
static uint64_t id_of(struct pprof *p, struct tally *t, uint64_t a, uint64_t b)
{
	const struct tally_row *r = tally_at(t, a, b);

	if (!r)
		failed(p, -ENOMEM);
	return r ? (uint64_t)(r - t->rows) + 1 : 0;
}

uint64_t pprof_location(struct pprof *p, const struct profile_frame *f)
{
	uint64_t name = (uint64_t)pprof_text(p, f->func), file = (uint64_t)pprof_text(p, f->file);
	uint64_t function = id_of(p, &p->functions, name, file), mapping = 0, id;

	if (*f->module)
		mapping = id_of(p, &p->mappings, 0, (uint64_t)pprof_text(p, f->module));
	id = id_of(p, &p->locations, function << 32 | mapping, f->line);
	if (id)
		p->locations.rows[id - 1].sum = f->address;
	return id;
}

static bool is_library(const char *file)
{
	return *file == '[' || strstr(file, ".so");
}

/* The first mapping is taken for the program itself. */
static size_t program_of(const struct pprof *p)
{
	for (size_t i = 0; i < p->mappings.cnt; i++) {
		if (!is_library(p->texts.texts[p->mappings.rows[i].b]))
			return i;
	}
	return 0;
}

static void put_mappings(struct pprof *p)
{
	size_t program = program_of(p);

	for (size_t i = 0; i < p->mappings.cnt; i++) {
		Pprof__Mapping m = PPROF__MAPPING__INIT, *only = &m;
		Pprof__Profile part = PPROF__PROFILE__INIT;
		size_t at = !i ? program : i <= program ? i - 1 : i;

		m.id = at + 1;
		m.filename = (int64_t)p->mappings.rows[at].b;
		m.has_functions = m.has_filenames = m.has_line_numbers = m.has_inline_frames = true;
		part.n_mapping = 1;
		part.mapping = &only;
		pprof_put(p, &part);
	}
}

static void put_functions(struct pprof *p)
{
	for (size_t i = 0; i < p->functions.cnt; i++) {
		Pprof__Function f = PPROF__FUNCTION__INIT, *only = &f;
		Pprof__Profile part = PPROF__PROFILE__INIT;

		f.id = i + 1;
		f.name = f.system_name = (int64_t)p->functions.rows[i].a;
		f.filename = (int64_t)p->functions.rows[i].b;
		part.n_function = 1;
		part.function = &only;
		pprof_put(p, &part);
	}
}

static void put_locations(struct pprof *p)
{
	for (size_t i = 0; i < p->locations.cnt; i++) {
		const struct tally_row *r = &p->locations.rows[i];
		Pprof__Line line = PPROF__LINE__INIT, *only_line = &line;
		Pprof__Location l = PPROF__LOCATION__INIT, *only = &l;
		Pprof__Profile part = PPROF__PROFILE__INIT;

		line.function_id = r->a >> 32;
		line.line = (int64_t)r->b;
		l.id = i + 1;
		l.mapping_id = (uint32_t)r->a;
		l.address = r->sum;
		l.n_line = 1;
		l.line = &only_line;
		part.n_location = 1;
		part.location = &only;
		pprof_put(p, &part);
	}
}

static void put_texts(struct pprof *p)
{
	for (size_t i = 0; i < p->texts.cnt; i++) {
		Pprof__Profile part = PPROF__PROFILE__INIT;

		part.n_string_table = 1;
		part.string_table = &p->texts.texts[i];
		pprof_put(p, &part);
	}
}

int pprof_end(struct pprof *p)
{
	put_mappings(p);
	put_functions(p);
	put_locations(p);
	put_texts(p);
	if (p->is_open) {
		squeeze(p, NULL, 0, Z_FINISH);
		deflateEnd(&p->z);
	}
	if (!p->err && (fflush(p->out) || ferror(p->out)))
		failed(p, -EIO);
	free(p->packed);
	strings_done(&p->texts);
	tally_done(&p->mappings);
	tally_done(&p->functions);
	tally_done(&p->locations);
	return p->err;
}
