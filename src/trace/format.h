/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The recording on disk; all numbers little-endian. A header, then blocks to the end of the file:
 *
 *	header	magic[8] u16 major u16 minor u32 header_size u32 crc, schema
 *	schema	u8 kinds, for each: u8 kind, u8 fields, for each: u8 codec (enum field_codec)
 *	block	u32 magic u32 raw_len u32 zip_len u32 records u32 crc, payload[zip_len]
 *
 * header_size counts all of it; what is behind the schema is for newer minor versions. The header's
 * CRC is over all its bytes but the CRC's. A payload is a raw deflate stream of raw_len bytes, those
 * of codec.h. A block's CRC is over its header up to the CRC, and the payload.
 *
 * New kinds and fields need no new version: the schema tells them. A minor version is more that old
 * readers can pass over, a major one is what they would misread.
 */
#pragma once

#define FORMAT_MAGIC "WLAG\r\n\x1a\n"
#define FORMAT_MAJOR 1
#define FORMAT_MINOR 0

#define HEADER_FIXED 20		/* up to and with the CRC */
#define HEADER_CRC_AT 16
#define HEADER_MAX 65536

#define BLOCK_MAGIC 0x6b6c4257	/* "WBlk" */
#define BLOCK_HEADER 20
#define BLOCK_CRC_AT 16
#define BLOCK_RAW_MAX (16u << 20)
/* Deflate makes what it can't compress longer by 5 bytes in 16 KiB at most. */
#define BLOCK_ZIP_MAX (BLOCK_RAW_MAX + BLOCK_RAW_MAX / 1024)
