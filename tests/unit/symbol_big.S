/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* 200,000 functions in 200 MB, with debug information (-g): a large program that is quick to make. */
	.altmacro
	.macro number_of n
	function \n
	.endm
	.macro function n
	.globl function_number_\n
	.type function_number_\n, @function
function_number_\n :
	.skip 1000, 0x90
	ret
	.size function_number_\n, . - function_number_\n
	.endm
	.text
	.set i, 0
	.rept 200000
	number_of %i
	.set i, i + 1
	.endr
	.section .note.GNU-stack, "", @progbits
