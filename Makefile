# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# make            build/wakelag             make check   install what is missing, build, run all tests (root)
# make check-kernels  the static program on other kernels in qemu; writes docs/matrix.md
# make check-go   the truth tests of goroutines with other Go toolchains and ways to build
# make check-all  make check, with the newest kernel too
# make demo       the main job on a bundled workload (root)
# make bench      costs, as ratios          make fuzz    the readers under libFuzzer for FUZZ_SECONDS
# make install    with DESTDIR, PREFIX (/usr/local); make uninstall
# make static     build/wakelag-static, one file to copy to a server
# V=1 shows commands; SAN=1 builds with ASan and UBSan; DEBUG=1 without optimisation.
B ?= build
CLANG ?= clang-16
BPFTOOL ?= $(or $(shell command -v bpftool 2>/dev/null),/usr/sbin/bpftool)
ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
PKGS := libbpf libdw libelf liblzma zlib jansson libmicrohttpd libprotobuf-c

CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	-Wtype-limits -Wno-missing-field-initializers -D_GNU_SOURCE -I$(B) -I. $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDLIBS += $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lZydis -liberty -lm
# Debian has no static libraries of GnuTLS and what it needs; tools/static/no_tls.c stands in for them.
STATIC_LIBS = $(filter-out -lgnutls -lgmp -lunistring -latomic -lnettle -lhogweed -ltasn1 -lidn2 -lp11-kit, \
	$(shell pkg-config --static --libs $(PKGS) 2>/dev/null)) -liberty -lm
ifdef DEBUG
override CFLAGS += -O0
endif
ifdef SAN
B := build-san
override CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
ifdef WERROR
override CFLAGS += -Werror
endif
Q := $(if $(V),,@)
msg = @printf '  %-8s %s\n' '$(1)' '$(2)';

SRCS := $(wildcard src/*.c src/*/*.c)
OBJS := $(SRCS:%.c=$(B)/%.o)
LIB := $(B)/libwakelag.a
# golang.bpf.c is an object of its own, see there.
BPF_OBJS := $(patsubst bpf/%.bpf.c,$(B)/bpf/%.bpf.o,$(filter-out bpf/golang.bpf.c,$(wildcard bpf/*.bpf.c)))
UNITS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))
# Builds of lock_truth: compiler and flags. Rust's toolchain is not asked for: lock_rust is built where there is one.
LOCK_BUILDS := fp static static_pie stripped static_stripped musl musl_static
LOCK_fp := $(CC) -fno-omit-frame-pointer
LOCK_static := $(CC) -static
LOCK_static_pie := $(CC) -static-pie -fPIE
LOCK_stripped := $(CC) -s
LOCK_static_stripped := $(CC) -static -s
LOCK_musl := musl-gcc
LOCK_musl_static := musl-gcc -static
RUSTC ?= $(shell command -v rustc 2>/dev/null)
WORKLOADS := $(patsubst tests/workloads/%.c,$(B)/workloads/%,$(wildcard tests/workloads/*.c)) \
	$(patsubst tests/workloads/go/%.go,$(B)/workloads/go/%,$(wildcard tests/workloads/go/*.go)) \
	$(LOCK_BUILDS:%=$(B)/workloads/lock_truth_%) $(B)/workloads/lock_cxx $(B)/workloads/contend.so $(if $(RUSTC),$(B)/workloads/lock_rust)

.PHONY: all static man install uninstall check check-all check-kernels check-go demo bench fuzz unit live units-built workloads-built kernels-built clean
.DELETE_ON_ERROR:
.SECONDARY:
all: $(B)/wakelag

$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h vmlinux/*.h)
	$(call msg,BPF,$@)mkdir -p $(@D)
	$(Q)$(CLANG) -g -O2 -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -target bpf -mcpu=v3 \
		-D__TARGET_ARCH_$(ARCH) -Ivmlinux -I. $(shell pkg-config --cflags libbpf 2>/dev/null) -c $< -o $@

$(B)/wakelag.bpf.o: $(BPF_OBJS)
	$(call msg,LINK-BPF,$@)$(BPFTOOL) gen object $@ $^

$(B)/wakelag.skel.h: $(B)/wakelag.bpf.o
	$(call msg,SKEL,$@)$(BPFTOOL) gen skeleton $< name wakelag_bpf >$@

$(B)/golang.skel.h: $(B)/bpf/golang.bpf.o
	$(call msg,SKEL,$@)$(BPFTOOL) gen skeleton $< name golang_bpf >$@

# System call names of this architecture, from the C library's own header.
$(B)/syscalls.inc: Makefile
	$(call msg,GEN,$@)mkdir -p $(@D)
	$(Q)printf '#include <asm/unistd.h>\n' | $(CC) -dM -E - | \
		sed -n '/__NR_\(syscalls\|arch_specific_syscall\) /d; s/^#define __NR\(3264\)\{0,1\}_\([a-z0-9_]*\) \([0-9]*\)$$/[\3] = "\2",/p' | \
		sort -t '[' -k2n -u >$@

# pprof's messages.
$(B)/profile.pb-c.c $(B)/profile.pb-c.h &: src/export/profile.proto
	$(call msg,PROTOC,$@)mkdir -p $(B)
	$(Q)protoc-c --proto_path=$(<D) --c_out=$(B) $<
$(B)/profile.pb-c.o: $(B)/profile.pb-c.c
	$(call msg,CC,$@)$(CC) $(CFLAGS) -c $< -o $@

$(B)/src/%.o: src/%.c
	$(call msg,CC,$@)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@
$(addprefix $(B)/src/collect/,probe.o probe_counters.o probe_doctor.o): $(B)/wakelag.skel.h
$(B)/src/collect/probe_go.o: $(B)/golang.skel.h
$(B)/src/model/syscall.o: $(B)/syscalls.inc
$(B)/src/export/pprof.o $(B)/src/export/pprof_parts.o: | $(B)/profile.pb-c.h

$(LIB): $(filter-out $(B)/src/main.o,$(OBJS)) $(B)/profile.pb-c.o
	$(call msg,AR,$@)rm -f $@; $(AR) rcs $@ $^
$(B)/wakelag: $(B)/src/main.o $(LIB)
	$(call msg,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

# Man page and completion come from the tables that the program itself parses with.
$(B)/wakelag.1: $(B)/wakelag
	$(call msg,GEN,$@)$< print-man >$@
$(B)/wakelag.bash: $(B)/wakelag
	$(call msg,GEN,$@)$< print-completion >$@
# One file to copy to a server: needs nothing there but the kernel.
$(B)/no_%.o: tools/static/no_%.c
	$(call msg,CC,$@)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -c $< -o $@
$(B)/wakelag-static: $(B)/src/main.o $(B)/no_disassembler.o $(B)/no_tls.o $(LIB)
	$(call msg,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -static $^ $(STATIC_LIBS) -o $@

# Prints rows for src/go/layouts.c from the debug information of Go programs.
$(B)/go-layouts: tools/go/layouts.c $(LIB)
	$(call msg,CC,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(B)/tests/unit/%: tests/unit/%.c $(LIB)
	$(call msg,CC,$@)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP $< $(LIB) $(LDFLAGS) $(LDLIBS) -lcmocka -o $@
# The readers and the model under libFuzzer, with CRC checks off.
$(B)/fuzz_recording: tests/fuzz/fuzz_recording.c $(wildcard src/trace/*.[ch] src/model/*.[ch] src/base/*.[ch]) $(B)/syscalls.inc
	$(call msg,FUZZ,$@)$(CLANG) -g -O1 -std=gnu11 -D_GNU_SOURCE -I$(B) -I. -fsanitize=fuzzer,address,undefined \
		$(filter %.c,$^) -lz -o $@
$(B)/fuzz_go_binary: tests/fuzz/fuzz_go_binary.c $(addprefix src/go/,binary.c buildinfo.c image.c pclntab.c) src/base/u64map.c \
		$(wildcard src/go/*.h)
	$(call msg,FUZZ,$@)mkdir -p $(@D)
	$(Q)$(CLANG) -g -O1 -std=gnu11 -D_GNU_SOURCE -I. -fsanitize=fuzzer,address,undefined $(filter %.c,$^) -o $@
$(B)/fuzz_symbol: tests/fuzz/fuzz_symbol.c $(filter-out src/symbol/helper%,$(wildcard src/symbol/*.c)) $(wildcard src/symbol/*.h)
	$(call msg,FUZZ,$@)mkdir -p $(@D)
	$(Q)$(CLANG) -g -O1 -std=gnu11 -D_GNU_SOURCE -I. -fsanitize=fuzzer,address,undefined $(filter %.c,$^) \
		-ldw -lelf -liberty -llzma -lz -o $@
$(B)/workloads/%: tests/workloads/%.c
	$(call msg,CC,$@)mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -Wall -Wextra -D_GNU_SOURCE -pthread $< -o $@ -lm -lrt
$(B)/workloads/lock_truth $(B)/workloads/lock_chain: tests/workloads/lock_self.h
$(LOCK_BUILDS:%=$(B)/workloads/lock_truth_%): $(B)/workloads/lock_truth_%: tests/workloads/lock_truth.c tests/workloads/lock_self.h
	$(call msg,CC,$@)mkdir -p $(@D)
	$(Q)$(LOCK_$*) -O2 -g -Wall -Wextra -D_GNU_SOURCE -pthread $< -o $@
$(B)/workloads/contend.so: tests/workloads/contend.c
	$(call msg,CC,$@)mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -Wall -Wextra -D_GNU_SOURCE -pthread -DPLUGIN -shared -fPIC $< -o $@
$(B)/workloads/%: tests/workloads/%.cc
	$(call msg,CXX,$@)mkdir -p $(@D)
	$(Q)$(CXX) -std=c++20 -O2 -g -Wall -Wextra -pthread $< -o $@
$(B)/workloads/%: tests/workloads/%.rs
	$(call msg,RUST,$@)mkdir -p $(@D)
	$(Q)$(RUSTC) --edition 2021 -O -g $< -o $@
# Go's build cache is ours, too: what is under $(B) is all that a build leaves.
GO ?= go
export GO
$(B)/workloads/go/%: tests/workloads/go/%.go $(wildcard tests/workloads/go/*/*.go)
	$(call msg,GO,$@)mkdir -p $(@D)
	$(Q)CGO_ENABLED=$(if $(filter %_cgo,$*),1,0) GOFLAGS=-trimpath GO111MODULE=off GOCACHE=$(abspath $(B)/go-cache) $(GO) build -o $@ $<
$(B)/tests/unit/test_go_binary $(B)/tests/unit/test_go_runtime: | $(B)/workloads/go/frames
$(B)/tests/unit/test_go_process: | $(B)/workloads/go/crowd
include tests/unit/symbol.mk
$(B)/static/%: tests/workloads/%.c
	$(call msg,CC,$@)mkdir -p $(@D)
	$(Q)$(CC) -O2 -Wall -Wextra -D_GNU_SOURCE -pthread -static $< -o $@ -lm -lrt

unit: all $(UNITS)
	$(Q)B=$(B) tests/run unit
live: all $(WORKLOADS)
	$(Q)B=$(B) tests/run live
# Packages first: a make of its own then sees pkg-config's answers.
check:
	$(Q)tools/install-deps
	$(Q)$(MAKE) --no-print-directory WERROR=1 all units-built workloads-built
	$(Q)B=$(B) tests/run all
check-all: export KERNELS := 5.10 6.12 newest
check-all: check
check-kernels:
	$(Q)tools/install-deps
	$(Q)$(MAKE) --no-print-directory all kernels-built
	$(Q)B=$(B) tools/kernels/check --matrix docs/matrix.md
check-go:
	$(Q)tools/install-deps
	$(Q)$(MAKE) --no-print-directory all workloads-built
	$(Q)B=$(B) tools/go/check
# What tools/kernels/guest runs: it has no C library.
kernels-built: $(B)/wakelag-static $(addprefix $(B)/static/,timers spin locks forkstorm eagain lock_kernel)
units-built: $(UNITS)
workloads-built: $(WORKLOADS)
demo:
	$(Q)tools/install-deps build
	$(Q)$(MAKE) -s --no-print-directory all
	$(Q)B=$(B) tools/demo
bench: all $(WORKLOADS)
	$(Q)B=$(B) tools/bench $(BENCH)
FUZZ_SECONDS ?= 60
fuzz: $(B)/fuzz_recording $(B)/fuzz_go_binary $(B)/fuzz_symbol
	$(Q)mkdir -p $(B)/fuzz-corpus $(B)/fuzz-corpus-go $(B)/fuzz-corpus-symbol
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -close_fd_mask=2 $(B)/fuzz-corpus tests/fuzz/corpus
	$(Q)$(B)/fuzz_go_binary -max_total_time=$(FUZZ_SECONDS) -max_len=400 -timeout=5 $(B)/fuzz-corpus-go
	$(Q)$(B)/fuzz_symbol -max_total_time=$(FUZZ_SECONDS) -timeout=5 $(B)/fuzz-corpus-symbol tests/fuzz/corpus-symbol
static: $(B)/wakelag-static
man: $(B)/wakelag.1 $(B)/wakelag.bash
PREFIX ?= /usr/local
DOC := $(PREFIX)/share/doc/wakelag
INSTALLED := bin/wakelag share/man/man1/wakelag.1 share/bash-completion/completions/wakelag
install: all man
	install -D -m 755 $(B)/wakelag $(DESTDIR)$(PREFIX)/bin/wakelag
	install -D -m 644 $(B)/wakelag.1 $(DESTDIR)$(PREFIX)/share/man/man1/wakelag.1
	install -D -m 644 $(B)/wakelag.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/wakelag
	install -d $(DESTDIR)$(DOC)
	install -m 644 LICENSE README.md docs/definitions.md $(DESTDIR)$(DOC)
uninstall:
	rm -f $(INSTALLED:%=$(DESTDIR)$(PREFIX)/%)
	rm -rf $(DESTDIR)$(DOC)
clean:
	rm -rf build build-san

-include $(OBJS:.o=.d) $(UNITS:=.d)
