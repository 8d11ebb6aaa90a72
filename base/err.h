/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Results: functions return 0 (or a count) or a negative number, either -errno or one of the domain causes below,
 * also negated: `return -KA_E_NO_CABLE;`. Text for operators goes into a ka_errbuf. Any thread.
 */
#ifndef KA_ERR_H
#define KA_ERR_H

#include "base/attr.h"

enum ka_err {
	KA_E_BASE = 4096,    /* above every errno */
	KA_E_NO_DEVICE,	     /* capture device missing */
	KA_E_NO_CABLE,	     /* no source connected */
	KA_E_NO_SIGNAL,	     /* connected, but no picture arrives */
	KA_E_BLANK,	     /* connected, but pictures are of one colour only */
	KA_E_NO_SYNC,	     /* signal present, receiver cannot lock */
	KA_E_OUT_OF_RANGE,   /* mode the receiver cannot take */
	KA_E_FORMAT,	     /* unsupported or inconsistent format */
	KA_E_SOURCE_CHANGED, /* geometry changed: restart the source */
	KA_E_TOO_BIG,	     /* a stated limit was exceeded */
	KA_E_PEER,	     /* the peer broke the protocol */
	KA_E_AUTH,	     /* signature, key or password did not verify */
	KA_E_CONFIG,	     /* configuration refused; text in the errbuf */
	KA_E_LIMIT,	     /* all places taken */
};

/* err: negative result as returned. Never NULL; static text in English, good to keep. */
const char *ka_err_str(int err);

/* Holds one sentence for an operator. Always terminated; longer text is cut. */
struct ka_errbuf {
	char text[512];
};

/* eb may be NULL. */
void ka_errbuf_set(struct ka_errbuf *eb, const char *fmt, ...) KA_PRINTF(2, 3);

#endif
