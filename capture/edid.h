/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * EDID: what the capture device tells the target about itself as a monitor (VESA E-EDID 1.3, CTA-861 extension).
 * Composed from a list of modes, or read from a file; its modes are the choices of the client's resolution menu. Pure.
 */
#ifndef KA_EDID_H
#define KA_EDID_H

#include "base/err.h"
#include "capture/video_mode.h"

#define KA_EDID_BLOCK 128u
#define KA_EDID_MAX (4 * KA_EDID_BLOCK) /* bytes; no receiver here takes more */
#define KA_EDID_NAME_MAX 13u		/* characters */

struct ka_edid {
	uint8_t data[KA_EDID_MAX];
	size_t len; /* a multiple of KA_EDID_BLOCK */
};

/* From a file: binary, or text of hexadecimal digits with anything but digits and letters between the bytes. -EINVAL
 * with the reason in eb: size, header, checksum (which block), count of extensions, or no mode that could be used. */
int ka_edid_read(struct ka_edid *out, const uint8_t *data, size_t len, struct ka_errbuf *eb) KA_MUST_USE;

/* For these modes, the first preferred. name: printable ASCII, cut at KA_EDID_NAME_MAX. -E2BIG when they do not fit,
 * -EINVAL when there are none. */
int ka_edid_compose(struct ka_edid *out, const struct ka_video_mode *modes, size_t n, const char *name, bool audio,
		    struct ka_errbuf *eb) KA_MUST_USE;

/* Its progressive modes that a picture here may have, the preferred one first, none twice. Returns how many. */
size_t ka_edid_modes(const struct ka_edid *e, struct ka_video_mode out[static KA_VIDEO_MODES_MAX]);

/* e with one of its modes as the preferred one; e stays the list of choices, as the mode that was preferred may have no
 * other place in out. -ENOENT when it is none of them. */
int ka_edid_prefer(struct ka_edid *out, const struct ka_edid *e, const struct ka_video_mode *mode) KA_MUST_USE;

#endif
