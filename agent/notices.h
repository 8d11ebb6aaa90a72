/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What became of a text, told to the controller who sent it: notices of ka-hid become chat lines.
 *
 *   ka-hid ─[16 notices]─► main thread: words ─ka_rd_tell()─► [16 lines a controller] ─► its session
 */
#ifndef KA_NOTICES_H
#define KA_NOTICES_H

#include "hid/hid.h"
#include "rustdesk/rustdesk.h"

/* ASCII, terminated; characters by code and Unicode name. layout: of the target, as configured. Pure. */
void ka_notice_words(char dst[static KA_RD_WORDS_MAX], const struct ka_hid_notice *n, const char *layout);
/* Takes all notices there are. Main thread. */
void ka_notices_pass(struct ka_hid *hid, struct ka_rd *rd, const char *layout);

#endif
