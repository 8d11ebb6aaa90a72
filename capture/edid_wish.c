/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/edid_wish.h"

#include <string.h>

#include "base/fs.h"
#include "base/str.h"

#define FILE_MAX_BYTES 8192u /* as text */

static int read_modes(struct ka_edid_wish *w, const char *list, struct ka_errbuf *eb)
{
	while (*list) {
		size_t len;

		list += strspn(list, " ");
		len = strcspn(list, ", ");
		if (w->n_modes == KA_VIDEO_MODES_MAX) {
			ka_errbuf_set(eb, "'edid_modes' has more than %u modes", KA_VIDEO_MODES_MAX);
			return -KA_E_CONFIG;
		}
		if (ka_video_mode_parse(&w->modes[w->n_modes++], list, len) < 0) {
			ka_errbuf_set(eb,
				      "'%.*s' in 'edid_modes' is not a mode: write \"1920x1080@60\", even sizes from "
				      "640x480 to %ux%u, 23 to 120 pictures per second",
				      (int)len, list, KA_MAX_WIDTH, KA_MAX_HEIGHT);
			return -KA_E_CONFIG;
		}
		list += len;
		list += strspn(list, " ");
		if (*list && (*list++ != ',' || !*list)) {
			ka_errbuf_set(eb, "commas go between the modes of 'edid_modes'");
			return -KA_E_CONFIG;
		}
	}
	return 0;
}

static int read_file(struct ka_edid_wish *w, const char *path, struct ka_errbuf *eb)
{
	struct ka_errbuf why = {""};
	struct ka_bytes text;
	int ret;

	ka_bytes_init(&text, FILE_MAX_BYTES);
	ret = ka_fs_read(path, &text);
	if (ret < 0) {
		ka_errbuf_set(eb, "%s ('edid'): %s", path, ka_err_str(ret));
	} else {
		ret = ka_edid_read(&w->file, text.data, text.len, &why);
		if (ret < 0)
			ka_errbuf_set(eb, "%s ('edid'): %s", path, why.text);
	}
	ka_bytes_fini(&text);
	return ret < 0 ? -KA_E_CONFIG : 0;
}

int ka_edid_wish_read(struct ka_edid_wish *out, const char *edid, const char *modes, const char *name,
		      struct ka_errbuf *eb)
{
	struct ka_edid composed;
	int ret;

	*out = (struct ka_edid_wish){.keep = !edid[0]};
	(void)ka_str_copy(out->name, sizeof(out->name), name);
	ret = read_modes(out, modes, eb);
	if (ret == 0 && edid[0] && strcmp(edid, "auto") != 0)
		return read_file(out, edid, eb);
	if (ret == 0 && !out->keep && ka_edid_compose(&composed, out->modes, out->n_modes, out->name, true, eb) < 0)
		ret = -KA_E_CONFIG;
	return ret;
}
