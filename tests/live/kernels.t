#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The static program on the kernels $KERNELS of tools/kernels/list, in qemu; by default the oldest and 6.12.
# seconds: 900
cd "$(dirname "$0")/../.." || exit 1
if [[ ${SAN:-} ]]; then
	echo "skip kernels: sanitizers cannot be linked statically"
	exit 0
fi
make -s B="$B" all kernels-built || exit 1
# shellcheck disable=SC2086
exec tools/kernels/check ${KERNELS:-5.10 6.12}
