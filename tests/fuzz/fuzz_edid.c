/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "capture/edid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	struct ka_edid e = {.len = 0}, changed, again;
	struct ka_errbuf eb;
	size_t n;

	if (ka_edid_read(&e, data, len, &eb) < 0) {
		/* Behind the checksums too. */
		e.len = len - len % KA_EDID_BLOCK;
		if (!e.len || e.len > sizeof(e.data))
			return 0;
		memcpy(e.data, data, e.len);
	}
	n = ka_edid_modes(&e, modes);
	for (size_t i = 0; i < n; i++) {
		if (ka_edid_prefer(&changed, &e, &modes[i]) < 0)
			abort();
		if (!ka_edid_modes(&changed, modes))
			abort();
		n = ka_edid_modes(&e, modes);
		(void)!ka_edid_read(&again, changed.data, changed.len, &eb);
	}
	return 0;
}
