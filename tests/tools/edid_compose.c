/* SPDX-License-Identifier: GPL-3.0-or-later */
/* edid_compose NAME AUDIO MODE...: writes the EDID to stdout, for others to judge. */
#include <stdio.h>
#include <string.h>

#include "capture/edid.h"

int main(int argc, char **argv)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	struct ka_errbuf eb = {""};
	struct ka_edid e;
	size_t n = 0;

	for (int i = 3; i < argc && n < KA_VIDEO_MODES_MAX; i++) {
		if (ka_video_mode_parse(&modes[n++], argv[i], strlen(argv[i])) < 0) {
			fprintf(stderr, "no mode: %s\n", argv[i]);
			return 2;
		}
	}
	if (argc < 4 || ka_edid_compose(&e, modes, n, argv[1], !strcmp(argv[2], "audio"), &eb) < 0) {
		fprintf(stderr, "%s\n", eb.text);
		return 1;
	}
	return fwrite(e.data, 1, e.len, stdout) == e.len ? 0 : 1;
}
