/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the folder and its tests: ka_capture_new with the calls to the device given. */
#ifndef KA_CAPTURE_PRIV_H
#define KA_CAPTURE_PRIV_H

#include "capture/capture.h"
#include "capture/v4l2_io.h"

int ka_capture_new_io(struct ka_capture **out, const struct ka_capture_cfg *cfg, const struct ka_v4l2_io *io,
		      struct ka_errbuf *eb) KA_MUST_USE;

#endif
