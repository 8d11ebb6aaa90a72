/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What commands found out, as text for people. Pure. */
#ifndef KA_CONSOLE_TEXT_H
#define KA_CONSOLE_TEXT_H

#include <jansson.h>

#include "agent/console_table.h"
#include "base/attr.h"
#include "base/bytes.h"

/* data as ka_console_run() makes it. Appends to out, terminated (not counted); -ENOMEM, -KA_E_TOO_BIG. */
int ka_console_text_render(struct ka_bytes *out, enum ka_console_id id, const json_t *data) KA_MUST_USE;

#endif
