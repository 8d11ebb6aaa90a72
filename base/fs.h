/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small files: whole reads with a cap, atomic writes, one-line attributes of sysfs and configfs. Any thread; blocks. */
#ifndef KA_FS_H
#define KA_FS_H

#include <sys/types.h>

#include "base/bytes.h"

/* Whole file into out. A NUL is put behind the content: not counted in len, but within the maximum of out.
 * -KA_E_TOO_BIG for a file of that many bytes or more. */
int ka_fs_read(const char *path, struct ka_bytes *out) KA_MUST_USE;
/* Writes beside, fsyncs, renames over path, fsyncs the folder: after a power cut either the old or the new file. */
int ka_fs_write_atomic(const char *path, const void *data, size_t len, mode_t mode) KA_MUST_USE;
/* One write(2) of text to an existing attribute file. */
int ka_fs_write_attr(const char *path, const char *text) KA_MUST_USE;
/* First line of an attribute file without its newline. */
int ka_fs_read_attr(const char *path, char *dst, size_t dst_size) KA_MUST_USE;
/* Creates path and missing parents. 0 when it is a folder afterwards. */
int ka_fs_mkdirs(const char *path, mode_t mode) KA_MUST_USE;

#endif
