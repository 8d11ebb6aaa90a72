/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/slate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "capture/paint.h"

/* So long a source may take for its first picture before the slate says "starting". */
#define START_GRACE_US KA_MS(300)

struct ka_slate {
	const char *device;
	struct ka_frame *frame;
	uint64_t sequence;
};

static const struct {
	int code;
	const char *heading, *text;
} words[] = {
	{-EINPROGRESS, "STARTING", "Waiting for the first picture."},
	{-KA_E_NO_DEVICE, "NO CAPTURE DEVICE", "The capture device is not there. It is looked for again and again."},
	{-KA_E_NO_CABLE, "NO CABLE", "No HDMI source is connected, or it is switched off."},
	{-KA_E_NO_SIGNAL, "NO SIGNAL", "The source sends no picture. It may be off or asleep: try a key."},
	{-KA_E_BLANK, "BLANK PICTURE", "No signal reaches the capture device, or the target shows nothing: try a key."},
	{-KA_E_NO_SYNC, "NO SYNC", "There is a signal, but the receiver cannot lock on it."},
	{-KA_E_OUT_OF_RANGE, "MODE NOT SUPPORTED", "The source sends a mode that cannot be captured. Choose another."},
	{-KA_E_FORMAT, "FORMAT NOT SUPPORTED", "The capture device offers no usable picture format."},
	{-EACCES, "NO ACCESS", "The capture device may not be opened by this program."},
	{-ETIMEDOUT, "NO ANSWER", "The capture device's driver does not answer."},
	{-EBUSY, "DEVICE BUSY", "Another program uses the capture device."},
};

void ka_slate_words(int code, const char **heading, const char **text)
{
	*heading = "CAPTURE ERROR";
	*text = ka_err_str(code);
	for (size_t i = 0; i < KA_ARRAY_LEN(words); i++) {
		if (words[i].code == code) {
			*heading = words[i].heading;
			*text = words[i].text;
		}
	}
}

int64_t ka_slate_due(const struct ka_cap_cause *cause, int64_t now_us)
{
	if (!cause->code)
		return INT64_MAX;
	return cause->code == -EINPROGRESS ? cause->since_us + START_GRACE_US : now_us;
}

int ka_slate_new(struct ka_slate **out, const char *device)
{
	struct ka_slate *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->device = device;
	*out = s;
	return 0;
}

void ka_slate_free(struct ka_slate *s)
{
	if (!s)
		return;
	ka_frame_unref(&s->frame);
	free(s);
}

/* Where the next line goes. */
struct cursor {
	struct ka_frame *f;
	int x, y;
	unsigned int columns; /* of body text */
	unsigned int scale;
};

static void put_line(struct cursor *at, unsigned int scale, uint8_t luma, const char *text)
{
	ka_paint_text(at->f, at->x, at->y, scale, luma, text);
	at->y += ka_paint_line_height(scale);
}

/* Characters of the first line of text, broken at the last blank that fits. */
static size_t line_length(const char *text, size_t columns)
{
	size_t n = strnlen(text, columns + 1);

	if (n <= columns)
		return n;
	for (size_t i = columns; i > 0; i--) {
		if (text[i] == ' ')
			return i;
	}
	return columns;
}

static void put_paragraph(struct cursor *at, uint8_t luma, const char *text)
{
	char line[128];

	while (*text) {
		size_t n = line_length(text, KA_MIN(at->columns, sizeof(line) - 1));

		memcpy(line, text, n);
		line[n] = '\0';
		put_line(at, at->scale, luma, line);
		text += n;
		text += strspn(text, " ");
	}
	at->y += (int)(4 * at->scale);
}

static void draw(struct ka_frame *f, const char *device, const struct ka_cap_cause *cause)
{
	unsigned int scale = KA_MAX(1u, f->height / 240);
	struct cursor at = {.f = f, .x = (int)f->width / 16 & ~1, .y = (int)f->height / 5 & ~1, .scale = scale};
	time_t now = (time_t)(ka_clock_wall_us() / 1000000);
	unsigned int big;
	const char *heading, *text;
	char line[96];
	struct tm tm;

	ka_slate_words(cause->code, &heading, &text);
	at.columns = KA_MAX(8u, (f->width - 2 * (unsigned int)at.x) / (6 * scale));
	big = KA_CLAMP((f->width - 2 * (unsigned int)at.x) / (6 * (unsigned int)strlen(heading)), 1, 3 * scale);
	ka_paint_rect(f, 0, 0, (int)f->width, (int)f->height, ka_paint_rgb(24, 24, 24));
	ka_paint_rect(f, 0, 0, (int)f->width, (int)f->height / 24 & ~1, ka_paint_rgb(255, 160, 0));
	put_line(&at, big, 235, heading);
	at.y += (int)(6 * scale);
	put_paragraph(&at, 200, text);
	if (cause->detail[0])
		put_paragraph(&at, 200, cause->detail);
	if (device[0]) {
		snprintf(line, sizeof(line), "Device: %s", device);
		put_paragraph(&at, 150, line);
	}
	localtime_r(&now, &tm);
	strftime(line, sizeof(line), "%Y-%m-%d %H:%M:%S", &tm);
	put_line(&at, scale, 150, line);
}

int ka_slate_draw(struct ka_slate *s, struct ka_geometry g, const struct ka_cap_cause *cause, struct ka_frame **out)
{
	struct ka_frame *f = s->frame;

	if (f && (f->width != g.width || f->height != g.height || !ka_frame_writable(f)))
		ka_frame_unref(&s->frame);
	if (!s->frame) {
		int ret = ka_frame_alloc(&s->frame, KA_PIX_NV12, g.width, g.height);

		if (ret < 0)
			return ret;
	}
	f = s->frame;
	f->colour = (struct ka_colour){KA_MATRIX_BT601, KA_RANGE_LIMITED};
	f->captured_us = ka_clock_us();
	f->sequence = s->sequence++;
	draw(f, s->device, cause);
	*out = ka_frame_ref(f);
	return 0;
}
