# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Programs that test_symbol_space unwinds: the same source by other compilers, libraries, linkers and strippers.
SYMBOL_BUILDS := plain fp dwarf4 packed clang static static_pie musl musl_static late
SYMBOL_plain := $(CC)
SYMBOL_fp := $(CC) -fno-omit-frame-pointer
SYMBOL_dwarf4 := $(CC) -gdwarf-4 -no-pie
SYMBOL_packed := $(CC) -gz
SYMBOL_clang := $(CLANG)
SYMBOL_static := $(CC) -static
SYMBOL_static_pie := $(CC) -static-pie -fPIE
SYMBOL_musl := musl-gcc
SYMBOL_musl_static := musl-gcc -static
SYMBOL_late := $(CC) -DLIBRARY
SYMBOL_TARGETS := $(addprefix $(B)/symbol/,$(SYMBOL_BUILDS) stripped mini linked by_id cxx big library.so)

$(SYMBOL_BUILDS:%=$(B)/symbol/%): $(B)/symbol/%: tests/unit/symbol_target.c
	$(call msg,CC,$@)mkdir -p $(@D)
	$(Q)$(SYMBOL_$*) -O2 -g -Wall -Wextra -D_GNU_SOURCE -pthread $< -o $@
$(B)/symbol/cxx: tests/unit/symbol_target.cc
	$(call msg,CXX,$@)mkdir -p $(@D)
	$(Q)$(CXX) -O2 -g -Wall -Wextra $< -o $@ -pthread
$(B)/symbol/library.so: tests/unit/symbol_library.c
	$(call msg,CC,$@)mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -Wall -Wextra -fPIC -shared $< -o $@
$(B)/symbol/big: tests/unit/symbol_target.c tests/unit/symbol_big.S
	$(call msg,CC,$@)mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -D_GNU_SOURCE -pthread $^ -o $@
$(B)/symbol/stripped: $(B)/symbol/plain
	$(call msg,STRIP,$@)strip $< -o $@
# As Fedora does it: names of the functions that are not exported, in .gnu_debugdata.
$(B)/symbol/mini: $(B)/symbol/plain
	$(call msg,STRIP,$@)strip --strip-debug $< -o $@.symbols
	$(Q)objcopy -S --remove-section .gdb_index --remove-section .comment --keep-symbol innermost --keep-symbol middle \
		--keep-symbol outermost $@.symbols $@.mini
	$(Q)xz -f $@.mini
	$(Q)objcopy -S --add-section .gnu_debugdata=$@.mini.xz $< $@
# A debug file beside the program, found by its name: without a build id, by the sum of its bytes.
$(B)/symbol/linked: tests/unit/symbol_target.c
	$(call msg,STRIP,$@)mkdir -p $(@D)/.debug
	$(Q)$(CC) -O2 -g -Wall -Wextra -D_GNU_SOURCE -pthread -Wl,--build-id=none $< -o $@.full
	$(Q)objcopy --only-keep-debug $@.full $(@D)/.debug/linked.debug
	$(Q)objcopy -S --add-gnu-debuglink=$(@D)/.debug/linked.debug $@.full $@
# A root of its own, in which the debug file is found by the build id.
$(B)/symbol/by_id: $(B)/symbol/static
	$(call msg,STRIP,$@)rm -rf $@.root; mkdir -p $@.root/tmp
	$(Q)objcopy -S $< $@.root/by_id
	$(Q)id=$$(readelf -n $< | sed -n 's/.*Build ID: //p'); dir=$@.root/usr/lib/debug/.build-id/$${id%$${id#??}}; \
		mkdir -p $$dir; objcopy --only-keep-debug $< $$dir/$${id#??}.debug
	$(Q)cp $@.root/by_id $@
# Not what the test is made of: a test that is up to date does not make them anew.
units-built: $(SYMBOL_TARGETS)
