/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `status` says about pictures, as data; the caller's, NULL without memory. Part of console.c. Any thread. */
#ifndef KA_CONSOLE_PICTURE_H
#define KA_CONSOLE_PICTURE_H

#include <jansson.h>

#include "agent/console.h"

/* A string, also of bytes that are no UTF-8, which a configuration may hold. */
json_t *ka_console_word(const char *s);
/* All of them, the primary one first. */
json_t *ka_console_displays(const struct ka_console *c);
/* Whether each works now, by name, in order of preference. */
json_t *ka_console_codecs(const struct ka_console *c);

#endif
