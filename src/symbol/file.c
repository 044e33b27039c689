/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "file.h"

#include <elfutils/libdwelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "debug.h"

static bool is_inside(const struct file *f, uint64_t offset, uint64_t len)
{
	return offset <= f->size && len <= f->size - offset;
}

/* libelf allocates for each section, as many as the headers say. */
static bool is_sound(const struct file *f, Elf64_Ehdr *out)
{
	Elf64_Ehdr h;

	if (f->size < sizeof(h))
		return false;
	memcpy(&h, f->bytes, sizeof(h));
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) || h.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h.e_ident[EI_DATA] != ELFDATA2LSB || (h.e_type != ET_EXEC && h.e_type != ET_DYN))
		return false;
	if (h.e_phnum == PN_XNUM || (h.e_phnum && h.e_phentsize != sizeof(Elf64_Phdr)) ||
	    !is_inside(f, h.e_phoff, (uint64_t)h.e_phnum * sizeof(Elf64_Phdr)))
		return false;
	if (!h.e_shoff && h.e_shnum)
		return false;
	if (h.e_shoff && (!h.e_shnum || h.e_shnum > FILE_SECTIONS || h.e_shentsize != sizeof(Elf64_Shdr) ||
			  !is_inside(f, h.e_shoff, (uint64_t)h.e_shnum * sizeof(Elf64_Shdr))))
		return false;
	*out = h;
	return true;
}

static void take_loads(struct file *f, const Elf64_Ehdr *h)
{
	for (size_t i = 0; i < h->e_phnum && f->load_cnt < FILE_LOADS; i++) {
		Elf64_Phdr p;

		memcpy(&p, f->bytes + h->e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type != PT_LOAD)
			continue;
		f->loads[f->load_cnt++] = (struct file_load){
			.addr = p.p_vaddr,
			.offset = p.p_offset,
			.size = p.p_filesz,
			.mem_size = p.p_memsz,
			.is_code = p.p_flags & PF_X,
		};
	}
}

Elf_Scn *file_section(const struct file *f, const char *name, Elf64_Shdr *out)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(f->elf, &names))
		return NULL;
	while ((scn = elf_nextscn(f->elf, scn))) {
		Elf64_Shdr *h = elf64_getshdr(scn);
		const char *is = h ? elf_strptr(f->elf, names, h->sh_name) : NULL;

		if (!is || strcmp(is, name))
			continue;
		*out = *h;
		return scn;
	}
	return NULL;
}

const uint8_t *file_section_bytes(const struct file *f, const Elf64_Shdr *h)
{
	if (h->sh_type == SHT_NOBITS || !h->sh_size || !is_inside(f, h->sh_offset, h->sh_size))
		return NULL;
	return f->bytes + h->sh_offset;
}

static void take_symbols(struct file *f, Elf64_Word type)
{
	Elf_Scn *scn = NULL;
	Elf64_Ehdr h;

	memcpy(&h, f->bytes, sizeof(h));
	while ((scn = elf_nextscn(f->elf, scn))) {
		Elf64_Shdr *table = elf64_getshdr(scn), *names;
		const uint8_t *at;

		if (!table || table->sh_type != type || table->sh_flags & SHF_COMPRESSED)
			continue;
		names = elf64_getshdr(elf_getscn(f->elf, table->sh_link));
		at = file_section_bytes(f, table);
		if (!names || !at || !file_section_bytes(f, names) || names->sh_flags & SHF_COMPRESSED)
			return;
		f->symbols[f->symbols_cnt++] = (struct symbols){
			.table = at,
			.cnt = table->sh_size / sizeof(Elf64_Sym),
			.names = (const char *)file_section_bytes(f, names),
			.names_size = names->sh_size,
			.sections = f->bytes + h.e_shoff,
			.section_cnt = h.e_shnum,
			.is_exported = type == SHT_DYNSYM,
		};
		return;
	}
}

/* Go's linker makes these sections, for programs without symbols, too. */
static bool has_go(const struct file *f)
{
	Elf64_Shdr h;

	return file_section(f, ".gopclntab", &h) || file_section(f, ".data.rel.ro.gopclntab", &h);
}

/* Sets up what elf has; on failure all is freed. */
static struct file *take_elf(struct file *f)
{
	Elf64_Ehdr h;
	size_t size;

	f->bytes = f->elf ? (const uint8_t *)elf_rawfile(f->elf, &size) : NULL;
	f->size = f->bytes ? size : 0;
	if (elf_kind(f->elf) != ELF_K_ELF || !is_sound(f, &h)) {
		file_close(f);
		return NULL;
	}
	take_loads(f, &h);
	take_symbols(f, SHT_SYMTAB);
	if (!f->symbols_cnt)
		take_symbols(f, SHT_DYNSYM);
	f->is_go = has_go(f);
	return f;
}

struct file *file_open(int fd)
{
	struct file *f = calloc(1, sizeof(*f));

	elf_version(EV_CURRENT);
	if (f) {
		f->elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
		f = take_elf(f);
		if (f)
			elf_cntl(f->elf, ELF_C_FDDONE);
	}
	close(fd);
	return f;
}

struct file *file_from_memory(void *image, size_t size)
{
	struct file *f = calloc(1, sizeof(*f));

	elf_version(EV_CURRENT);
	if (!f) {
		free(image);
		return NULL;
	}
	f->image = image;
	f->elf = elf_memory(image, size);
	return take_elf(f);
}

void file_close(struct file *f)
{
	if (!f)
		return;
	debug_lines_free(f->lines);
	file_close(f->debug);
	file_close(f->mini);
	dwarf_cfi_end(f->cfi);
	for (size_t i = 0; i < f->symbols_cnt; i++)
		symbols_done(&f->symbols[i]);
	elf_end(f->elf);
	free(f->image);
	free(f);
}

const uint8_t *file_at(const struct file *f, uint64_t addr, uint64_t len)
{
	for (size_t i = 0; i < f->load_cnt; i++) {
		const struct file_load *l = &f->loads[i];
		uint64_t in = addr - l->addr;

		if (addr >= l->addr && in <= l->size && len <= l->size - in)
			return is_inside(f, l->offset, l->size) ? f->bytes + l->offset + in : NULL;
	}
	return NULL;
}

size_t file_build_id(const struct file *f, uint8_t id[BUILD_ID_MAX])
{
	const void *at;
	ssize_t len = dwelf_elf_gnu_build_id(f->elf, &at);

	if (len < 2 || len > BUILD_ID_MAX)
		return 0;
	memcpy(id, at, (size_t)len);
	return (size_t)len;
}

Dwarf_CFI *file_cfi(struct file *f)
{
	Elf64_Ehdr *h;

	if (f->has_cfi)
		return f->cfi;
	f->has_cfi = true;
	h = elf64_getehdr(f->elf);
	if (h && h->e_machine == EM_X86_64)
		f->cfi = dwarf_getcfi_elf(f->elf);
	return f->cfi;
}

bool file_offset_addr(const struct file *f, uint64_t offset, bool is_code, uint64_t *addr)
{
	const uint64_t page = 4096;

	/* Two segments may share a page of the file, which is then mapped twice. */
	for (int strict = 1; strict >= 0; strict--) {
		for (size_t i = 0; i < f->load_cnt; i++) {
			const struct file_load *l = &f->loads[i];
			uint64_t lo = l->offset & ~(page - 1);

			if (offset < lo || offset - lo >= l->size + (l->offset - lo) || (strict && l->is_code != is_code))
				continue;
			*addr = l->addr - l->offset + offset;
			return true;
		}
	}
	return false;
}
