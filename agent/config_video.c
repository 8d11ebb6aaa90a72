/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/config_video.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"

/* Words of the file; the order is that of the enums. */
static const char *const source_words[] = {"v4l2", "card", NULL};
static const char *const format_words[] = {"auto",  "I420", "I422", "I444", "NV12", "NV21",  "NV16", "NV61",
					   "NV24",  "NV42", "GREY", "YUYV", "YVYU", "UYVY",  "VYUY", "RGB24",
					   "BGR24", "RGBX", "BGRX", "XRGB", "XBGR", "MJPEG", NULL};
static const char *const preset_words[] = {"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", NULL};

#define NAME_MAX_BYTES 31
#define PLACE_MAX 32767
#define END                                                                                                            \
	{                                                                                                              \
		0                                                                                                      \
	}

/* What the section says for all displays, and an entry of the list for its own. */
#define PICTURE_KEYS(base)                                                                                             \
	{"source", KA_KEY_WORD, (base) + offsetof(struct ka_config_video, source), .words = source_words},             \
		{"device", KA_KEY_STRING, (base) + offsetof(struct ka_config_video, device), 1, PATH_MAX - 1},         \
		{"format", KA_KEY_WORD, (base) + offsetof(struct ka_config_video, format), .words = format_words},     \
		{"width", KA_KEY_UINT, (base) + offsetof(struct ka_config_video, width), 0, KA_MAX_WIDTH},             \
		{"height", KA_KEY_UINT, (base) + offsetof(struct ka_config_video, height), 0, KA_MAX_HEIGHT},          \
		{"fps", KA_KEY_UINT, (base) + offsetof(struct ka_config_video, fps), 1, 120},                          \
		{"edid", KA_KEY_STRING, (base) + offsetof(struct ka_config_video, edid), 0, PATH_MAX - 1},             \
		{"edid_modes", KA_KEY_STRING, (base) + offsetof(struct ka_config_video, edid_modes), 0, 512},          \
		{"edid_name", KA_KEY_STRING, (base) + offsetof(struct ka_config_video, edid_name), 1, 13},             \
		{"preset", KA_KEY_WORD, (base) + offsetof(struct ka_config_video, preset), .words = preset_words},     \
		{"threads", KA_KEY_UINT, (base) + offsetof(struct ka_config_video, threads), 0, 16},                   \
		{"slate_fps", KA_KEY_UINT, (base) + offsetof(struct ka_config_video, slate_fps), 1, 10},               \
		{"blank_slate", KA_KEY_UINT, (base) + offsetof(struct ka_config_video, blank_slate), 0, 3600},         \
	{                                                                                                              \
		"card_noise", KA_KEY_UINT, (base) + offsetof(struct ka_config_video, card_noise), 0, 100               \
	}

static const struct ka_config_key display_keys[] = {
	PICTURE_KEYS(0),
	{"name", KA_KEY_STRING, offsetof(struct ka_config_video, name), 1, NAME_MAX_BYTES},
	{"x", KA_KEY_INT, offsetof(struct ka_config_video, x), -PLACE_MAX, PLACE_MAX},
	{"y", KA_KEY_INT, offsetof(struct ka_config_video, y), -PLACE_MAX, PLACE_MAX},
	END,
};

/* Its values are read when those of the section are known. */
static void keep_display(struct ka_config_reader *r, const config_setting_t *element, const struct ka_config_key *keys,
			 void *field)
{
	struct ka_config_raw *all = KA_CONTAINER_OF(field, struct ka_config_raw, displays);

	(void)r;
	(void)keys;
	all->displays[all->n_displays++] = element;
}

const struct ka_config_key ka_config_video_keys[] = {
	PICTURE_KEYS(offsetof(struct ka_config_raw, video)),
	{"codecs", KA_KEY_STRING, offsetof(struct ka_config_raw, video.codecs), 1, 64},
	{"displays", KA_KEY_LIST, offsetof(struct ka_config_raw, displays), .max = KA_HOST_DISPLAYS_MAX,
	 .keys = display_keys, .read = keep_display},
	END,
};

/* at: the group that says it. */
static void check_picture(struct ka_config_reader *r, const config_setting_t *at, const struct ka_config_video *v)
{
	const config_setting_t *modes = at ? config_setting_get_member(at, "edid_modes") : NULL;
	struct ka_errbuf why = {""};

	if (ka_capture_check_edid("auto", v->edid_modes, v->edid_name, &why) < 0)
		ka_config_fail(r, modes ? modes : at, "%s", why.text);
	if ((v->width == 0) != (v->height == 0))
		ka_config_fail(r, at, "'width' and 'height' go together; 0 and 0 for the default");
	if ((v->width && v->width < KA_MIN_WIDTH) || (v->height && v->height < KA_MIN_HEIGHT))
		ka_config_fail(r, at, "'width' and 'height' must be at least %u and %u", KA_MIN_WIDTH, KA_MIN_HEIGHT);
}

static struct ka_capture_cfg to_capture(const struct ka_config_video *v)
{
	struct ka_capture_cfg c = {
		.source = (enum ka_source_kind)v->source,
		.device = v->device,
		.format = (enum ka_pixfmt)v->format,
		.edid = v->edid,
		.edid_modes = v->edid_modes,
		.edid_name = v->edid_name,
		.width = v->width,
		.height = v->height,
		.fps = v->fps,
		.preset = preset_words[v->preset],
		.threads = v->threads,
		.codecs = v->codecs,
		.slate_fps = v->slate_fps,
		.blank_s = v->blank_slate,
		.card_noise = v->card_noise,
	};

	if (c.source == KA_SOURCE_CARD && !c.width) {
		c.width = 1280;
		c.height = 720;
	}
	return c;
}

static bool same_device(const char *a, const char *b)
{
	struct stat sa;
	struct stat sb;

	if (!strcmp(a, b))
		return true;
	return !stat(a, &sa) && !stat(b, &sb) && S_ISCHR(sa.st_mode) && S_ISCHR(sb.st_mode) && sa.st_rdev == sb.st_rdev;
}

static void check_device(struct ka_config_reader *r, const config_setting_t *at, const struct ka_config *c,
			 const struct ka_config_display *d)
{
	for (const struct ka_config_display *other = c->displays; other < d; other++) {
		if (d->video.source == KA_SOURCE_V4L2 && other->video.source == KA_SOURCE_V4L2 &&
		    same_device(d->video.device, other->video.device))
			ka_config_fail(r, at, "two displays have the same device, %s", d->video.device);
	}
}

/* Controllers get it as it is. */
static bool plain_name(const char *name)
{
	for (const char *p = name; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == '"' || *p == '\\' || *p == 127)
			return false;
	}
	return ka_utf8_valid(name, strlen(name));
}

static void add_display(struct ka_config *c, struct ka_config_reader *r, const config_setting_t *at,
			const struct ka_config_raw *raw)
{
	struct ka_config_display *d = &c->displays[c->n_displays];
	struct ka_config_video v = raw->video;
	char name[16];

	ka_config_read_group(r, at, "displays", display_keys, &v);
	if (r->err)
		return;
	check_picture(r, at, &v);
	if ((v.x == KA_CONFIG_NO_PLACE) != (v.y == KA_CONFIG_NO_PLACE))
		ka_config_fail(r, at, "'x' and 'y' go together; without them a display is right of the one before");
	if (v.name && !plain_name(v.name))
		ka_config_fail(r, at, "'name' must be plain text");
	snprintf(name, sizeof(name), "HDMI-%zu", c->n_displays + 1);
	*d = (struct ka_config_display){.video = to_capture(&v),
					.name = v.name ? v.name : ka_config_keep(r, name),
					.placed = v.x != KA_CONFIG_NO_PLACE};
	if (d->placed) {
		d->x = v.x;
		d->y = v.y;
	}
	check_device(r, at, c, d);
	c->n_displays++;
}

/* The section's own device is no further display: whoever names one must not be surprised. */
static void check_lost(struct ka_config_reader *r, const config_t *cfg, const struct ka_config *c)
{
	const config_setting_t *at = config_lookup(cfg, "video.device");

	for (size_t i = 0; i < c->n_displays; i++) {
		if (c->displays[i].video.source == KA_SOURCE_V4L2 &&
		    !strcmp(c->displays[i].video.device, c->video.device))
			return;
	}
	if (at && c->video.source == KA_SOURCE_V4L2)
		ka_config_fail(
			r, at,
			"'device' is none of 'displays': that list names all displays, so add { device = \"%s\"; }",
			c->video.device);
}

static void check_codecs(struct ka_config_reader *r, const config_t *cfg, const char *codecs)
{
	struct ka_errbuf why = {""};

	if (ka_capture_check_codecs(codecs, &why) < 0)
		ka_config_fail(r, config_lookup(cfg, "video.codecs"), "%s", why.text);
}

void ka_config_finish_video(struct ka_config *c, struct ka_config_reader *r, const config_t *cfg,
			    const struct ka_config_raw *raw)
{
	check_picture(r, config_lookup(cfg, "video"), &raw->video);
	check_codecs(r, cfg, raw->video.codecs);
	c->video = to_capture(&raw->video);
	for (size_t i = 0; i < raw->n_displays && !r->err; i++)
		add_display(c, r, raw->displays[i], raw);
	if (raw->n_displays) {
		check_lost(r, cfg, c);
		return;
	}
	c->displays[0] = (struct ka_config_display){.video = c->video, .name = "HDMI"};
	c->n_displays = 1;
}
