/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the configuration wants of the EDID. Pure but for the file that it names. */
#ifndef KA_EDID_WISH_H
#define KA_EDID_WISH_H

#include "capture/edid.h"

struct ka_edid_wish {
	bool keep;	     /* leave the device's own */
	struct ka_edid file; /* len 0 = compose one of the rest */
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	size_t n_modes;
	char name[KA_EDID_NAME_MAX + 1];
};

/* edid: "" = keep, "auto" = compose, else a file. modes: separated by commas, the preferred one first. -KA_E_CONFIG
 * with the reason in eb. */
int ka_edid_wish_read(struct ka_edid_wish *out, const char *edid, const char *modes, const char *name,
		      struct ka_errbuf *eb) KA_MUST_USE;

#endif
