/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int image_refuse(char why[GO_WHY], int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, GO_WHY, fmt, ap);
	va_end(ap);
	return err;
}

static bool in_file(const struct image *im, uint64_t offset, uint64_t len)
{
	return offset <= im->size && len <= im->size - offset;
}

static int map_file(const char *path, struct image *im, char why[GO_WHY])
{
	struct stat st;
	void *map;
	int err;

	/* O_NONBLOCK: a FIFO has no writer to wait for. */
	im->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (im->fd < 0 || fstat(im->fd, &st)) {
		err = -errno;
		return image_refuse(why, err, "'%s' can't be opened", path);
	}
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(Elf64_Ehdr))
		return image_refuse(why, -ENOENT, "'%s' is no program", path);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, im->fd, 0);
	if (map == MAP_FAILED) {
		err = -errno;
		return image_refuse(why, err, "'%s' can't be mapped", path);
	}
	im->map = map;
	im->size = (uint64_t)st.st_size;
	return 0;
}

static int take_segment(struct image *im, const Elf64_Phdr *p, char why[GO_WHY])
{
	switch (p->p_type) {
	case PT_INTERP:
		im->has_interp = true;
		return 0;
	case PT_TLS:
		im->has_tls = true;
		im->tls_size = p->p_memsz;
		im->tls_align = p->p_align;
		return 0;
	case PT_DYNAMIC:
		im->dynamic_offset = p->p_offset;
		im->dynamic_size = p->p_filesz;
		return 0;
	case PT_LOAD:
		break;
	default:
		return 0;
	}
	if (im->segment_cnt == IMAGE_SEGMENTS)
		return image_refuse(why, -ENOTSUP, "damaged ELF file: more than %d segments", IMAGE_SEGMENTS);
	if (!in_file(im, p->p_offset, p->p_filesz) || p->p_vaddr + p->p_filesz < p->p_vaddr)
		return image_refuse(why, -ENOTSUP, "damaged ELF file: a segment is not in it");
	im->segments[im->segment_cnt++] = (struct image_segment){
		.addr = p->p_vaddr, .offset = p->p_offset, .size = p->p_filesz,
		.writable = p->p_flags & PF_W, .code = p->p_flags & PF_X,
	};
	return 0;
}

static int read_segments(struct image *im, const Elf64_Ehdr *eh, char why[GO_WHY])
{
	uint64_t total = 0;
	Elf64_Phdr p;
	int err;

	if (eh->e_phentsize != sizeof(p) || !in_file(im, eh->e_phoff, eh->e_phnum * sizeof(p)))
		return image_refuse(why, -ENOTSUP, "damaged ELF file: no program headers");
	for (size_t i = 0; i < eh->e_phnum; i++) {
		memcpy(&p, im->map + eh->e_phoff + i * sizeof(p), sizeof(p));
		err = take_segment(im, &p, why);
		if (err)
			return err;
	}
	/* Segments that overlap would have us search the same bytes many times. */
	for (size_t i = 0; i < im->segment_cnt; i++)
		total += im->segments[i].size;
	if (total / 2 > im->size)
		return image_refuse(why, -ENOTSUP, "damaged ELF file: its segments overlap");
	return 0;
}

static bool is_elf(const struct image *im)
{
	return memcmp(im->map, ELFMAG, SELFMAG) == 0 && im->map[EI_CLASS] == ELFCLASS64 &&
	       im->map[EI_DATA] == ELFDATA2LSB;
}

static int read_headers(const char *path, struct image *im, char why[GO_WHY])
{
	Elf64_Ehdr eh;

	memcpy(&eh, im->map, sizeof(eh));
	if (!is_elf(im) || (eh.e_type != ET_EXEC && eh.e_type != ET_DYN))
		return image_refuse(why, -ENOENT, "'%s' is no program of 64 bits", path);
	im->type = eh.e_type;
	im->machine = eh.e_machine;
	/* Sections are a help where they are there: a program runs without. */
	if (eh.e_shentsize == sizeof(Elf64_Shdr) && in_file(im, eh.e_shoff, eh.e_shnum * sizeof(Elf64_Shdr))) {
		im->section_offset = eh.e_shoff;
		im->section_cnt = eh.e_shnum;
		im->section_names = eh.e_shstrndx;
	}
	return read_segments(im, &eh, why);
}

int image_open(const char *path, struct image *out, char why[GO_WHY])
{
	struct image im = {.fd = -1};
	int err = map_file(path, &im, why);

	if (!err)
		err = read_headers(path, &im, why);
	if (err)
		image_close(&im);
	else
		*out = im;
	return err;
}

void image_close(struct image *im)
{
	if (im->map)
		munmap((void *)im->map, im->size);
	if (im->fd >= 0)
		close(im->fd);
	*im = (struct image){.fd = -1};
}

struct image_bytes image_from(const struct image *im, uint64_t addr)
{
	for (size_t i = 0; i < im->segment_cnt; i++) {
		const struct image_segment *s = &im->segments[i];

		if (addr >= s->addr && addr - s->addr < s->size)
			return (struct image_bytes){
				.addr = addr,
				.at = im->map + s->offset + (addr - s->addr),
				.len = s->size - (addr - s->addr),
			};
	}
	return (struct image_bytes){0};
}

const uint8_t *image_at(const struct image *im, uint64_t addr, uint64_t len)
{
	struct image_bytes b = image_from(im, addr);

	return len <= b.len ? b.at : NULL;
}

static bool section_at(const struct image *im, uint64_t i, Elf64_Shdr *out)
{
	if (i >= im->section_cnt)
		return false;
	memcpy(out, im->map + im->section_offset + i * sizeof(*out), sizeof(*out));
	return out->sh_type == SHT_NOBITS || in_file(im, out->sh_offset, out->sh_size);
}

static bool has_name(const struct image *im, const Elf64_Shdr *strings, uint64_t at, const char *name, size_t len)
{
	return at < strings->sh_size && len < strings->sh_size - at &&
	       memcmp(im->map + strings->sh_offset + at, name, len + 1) == 0;
}

static bool find_section(const struct image *im, const char *name, Elf64_Shdr *out)
{
	size_t len = strlen(name);
	Elf64_Shdr strings, s;

	if (!section_at(im, im->section_names, &strings) || strings.sh_type == SHT_NOBITS)
		return false;
	for (size_t i = 0; i < im->section_cnt; i++) {
		if (section_at(im, i, &s) && has_name(im, &strings, s.sh_name, name, len)) {
			*out = s;
			return true;
		}
	}
	return false;
}

struct image_bytes image_section(const struct image *im, const char *name)
{
	struct image_bytes b = {0};
	Elf64_Shdr s;

	if (!find_section(im, name, &s) || !(s.sh_flags & SHF_ALLOC) || s.sh_type == SHT_NOBITS)
		return b;
	b = image_from(im, s.sh_addr);
	if (s.sh_size > b.len)
		return (struct image_bytes){0};
	b.len = s.sh_size;
	return b;
}

bool image_has_section(const struct image *im, const char *name)
{
	Elf64_Shdr s;

	return find_section(im, name, &s);
}

static bool find_symbols(const struct image *im, Elf64_Shdr *symbols, Elf64_Shdr *strings)
{
	for (size_t i = 0; i < im->section_cnt; i++) {
		if (section_at(im, i, symbols) && symbols->sh_type == SHT_SYMTAB)
			return section_at(im, symbols->sh_link, strings) && strings->sh_type == SHT_STRTAB;
	}
	return false;
}

bool image_symbol(const struct image *im, const char *name, uint64_t *value)
{
	size_t len = strlen(name);
	Elf64_Shdr symbols, strings;
	Elf64_Sym s;

	if (!find_symbols(im, &symbols, &strings))
		return false;
	for (uint64_t i = 0; i < symbols.sh_size / sizeof(s); i++) {
		memcpy(&s, im->map + symbols.sh_offset + i * sizeof(s), sizeof(s));
		if (s.st_shndx != SHN_UNDEF && has_name(im, &strings, s.st_name, name, len)) {
			*value = s.st_value;
			return true;
		}
	}
	return false;
}

static bool dynamic_value(const struct image *im, Elf64_Sxword tag, uint64_t *value)
{
	Elf64_Dyn d;

	if (!in_file(im, im->dynamic_offset, im->dynamic_size))
		return false;
	for (uint64_t i = 0; i < im->dynamic_size / sizeof(d); i++) {
		memcpy(&d, im->map + im->dynamic_offset + i * sizeof(d), sizeof(d));
		if (d.d_tag == DT_NULL)
			return false;
		if (d.d_tag == tag) {
			*value = d.d_un.d_val;
			return true;
		}
	}
	return false;
}

bool image_is_library(const struct image *im)
{
	uint64_t flags = 0;

	if (im->type != ET_DYN || im->has_interp)
		return false;
	dynamic_value(im, DT_FLAGS_1, &flags);
	return !(flags & DF_1_PIE);
}

/* A pointer that the loader sets; NULL for other relocations, and where the file has no bytes. */
static uint8_t *reloc_target(const struct image *im, const Elf64_Rela *r)
{
	if (ELF64_R_TYPE(r->r_info) != R_X86_64_RELATIVE)
		return NULL;
	return (uint8_t *)image_at(im, r->r_offset, sizeof(r->r_addend));
}

/*
 * Go's linker writes the addend to the place, too; GNU ld, for amd64, only to the relocation. A linker does
 * one or the other throughout, so the first few tell: a large program has a million.
 */
static bool is_relocated(const struct image *im, struct image_bytes table)
{
	enum { ENOUGH = 16 };
	unsigned int seen = 0;
	Elf64_Rela r;

	for (uint64_t i = 0; seen < ENOUGH && i < table.len / sizeof(r); i++) {
		const uint8_t *target;

		memcpy(&r, table.at + i * sizeof(r), sizeof(r));
		target = reloc_target(im, &r);
		if (!target)
			continue;
		if (image_number(target, 8) != (uint64_t)r.r_addend)
			return false;
		seen++;
	}
	return true;
}

int image_relocate(struct image *im)
{
	struct image_bytes table;
	uint64_t addr, size;
	Elf64_Rela r;

	if (!dynamic_value(im, DT_RELA, &addr) || !dynamic_value(im, DT_RELASZ, &size))
		return 0;
	table = image_from(im, addr);
	if (size < table.len)
		table.len = size;
	if (is_relocated(im, table))
		return 0;
	/* The map is private: what is written stays here. */
	if (mprotect((void *)im->map, im->size, PROT_READ | PROT_WRITE))
		return -errno;
	for (uint64_t i = 0; i < table.len / sizeof(r); i++) {
		uint8_t *target;

		memcpy(&r, table.at + i * sizeof(r), sizeof(r));
		target = reloc_target(im, &r);
		if (target)
			memcpy(target, &r.r_addend, sizeof(r.r_addend));
	}
	return mprotect((void *)im->map, im->size, PROT_READ) ? -errno : 0;
}
