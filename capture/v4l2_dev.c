/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/v4l2_dev.h"

#include <errno.h>
#include <string.h>

#include "capture/log_lines.h"
#include "capture/recolour.h"

/* Enumerations come from the driver: they end here, whatever it says. */
#define FORMATS_MAX 128u
#define INTERVALS_MAX 64u

/* What settling needs at every step. */
struct settle {
	const struct ka_v4l2_io *io;
	int fd;
	uint32_t type;
	const struct ka_v4l2_wish *wish;
	uint32_t width, height;
};

int ka_v4l2_dev_probe(const struct ka_v4l2_io *io, int fd, uint32_t *buf_type, struct ka_errbuf *eb)
{
	struct v4l2_capability cap;
	uint32_t caps;
	char card[128];
	int ret;

	memset(&cap, 0, sizeof(cap));
	ret = io->ioctl(io->ctx, fd, VIDIOC_QUERYCAP, &cap);
	if (ret < 0) {
		ka_errbuf_set(eb, "it is not a video device (%s)", ka_err_str(ret));
		return ret == -ENOTTY ? -KA_E_NO_DEVICE : ret;
	}
	caps = cap.capabilities & V4L2_CAP_DEVICE_CAPS ? cap.device_caps : cap.capabilities;
	if (!(caps & V4L2_CAP_STREAMING) || !(caps & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE))) {
		ka_errbuf_set(eb, "it does not capture video by streaming");
		return -KA_E_NO_DEVICE;
	}
	*buf_type =
		caps & V4L2_CAP_VIDEO_CAPTURE_MPLANE ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE;
	ka_log_escape(card, sizeof(card), (const char *)cap.card, strnlen((const char *)cap.card, sizeof(cap.card)));
	ka_log_burst(INFO, KA_LINES_AT_ONCE, KA_LINE_GAP_US, "v4l2", "device", "card=\"%s\" planes=%s", card,
		     *buf_type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE ? "multi" : "single");
	return 0;
}

/* Frames per 1000 s for an interval of num / den seconds. */
static uint32_t rate_mhz(const struct v4l2_fract *interval)
{
	uint64_t rate = interval->numerator ? (uint64_t)interval->denominator * 1000 / interval->numerator : 0;

	return rate > 1000000 ? 0 : (uint32_t)rate;
}

/* The fastest rate a format has at the size; UINT32_MAX when the device does not say. */
static uint32_t fastest_mhz(const struct settle *s, uint32_t fourcc)
{
	uint32_t best = 0;

	for (uint32_t i = 0; i < INTERVALS_MAX; i++) {
		struct v4l2_frmivalenum e = {
			.index = i, .pixel_format = fourcc, .width = s->width, .height = s->height};

		if (s->io->ioctl(s->io->ctx, s->fd, VIDIOC_ENUM_FRAMEINTERVALS, &e) < 0)
			break;
		if (e.type == V4L2_FRMIVAL_TYPE_DISCRETE) {
			best = KA_MAX(best, rate_mhz(&e.discrete));
			continue;
		}
		best = rate_mhz(&e.stepwise.min);
		break;
	}
	return best ? best : UINT32_MAX;
}

struct candidate {
	const struct ka_v4l2_fourcc *fourcc;
	uint32_t mhz; /* what it can do of the rate wished for */
	uint16_t cost;
};

/* Which colours a format would have, the driver says when asked to try it; many do not say anything. */
static uint16_t cost_of(const struct settle *s, const struct ka_v4l2_fourcc *fourcc)
{
	struct ka_recolour recolour;
	struct ka_v4l2_shape shape;
	struct v4l2_format f;

	ka_v4l2_planes_ask(&f, s->type, fourcc->fourcc, s->width, s->height);
	if (s->io->ioctl(s->io->ctx, s->fd, VIDIOC_TRY_FMT, &f) < 0 || ka_v4l2_planes_read(&shape, &f, NULL) < 0 ||
	    shape.fourcc != fourcc || !ka_recolour_init(&recolour, shape.colour, ka_pixfmt_rgb(fourcc->format)))
		return fourcc->cost;
	return fourcc->cost_colours;
}

static unsigned int list_candidates(const struct settle *s, struct candidate *list, unsigned int max)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < FORMATS_MAX && n < max; i++) {
		struct v4l2_fmtdesc d = {.index = i, .type = s->type};
		const struct ka_v4l2_fourcc *f;

		if (s->io->ioctl(s->io->ctx, s->fd, VIDIOC_ENUM_FMT, &d) < 0)
			break;
		f = ka_v4l2_planes_find(d.pixelformat);
		if (!f || (s->wish->format != KA_PIX_NONE && f->format != s->wish->format))
			continue;
		list[n].fourcc = f;
		list[n].mhz = KA_MIN(fastest_mhz(s, d.pixelformat), s->wish->fps * 1000);
		list[n].cost = cost_of(s, f);
		n++;
	}
	return n;
}

/* The cheapest format among those that come near the fastest: a USB 2 stick gives 1080p raw at 5 per second, as MJPEG
 * at 30. */
static int choose_format(const struct settle *s, uint32_t *fourcc, struct ka_errbuf *eb)
{
	struct candidate list[64];
	unsigned int n = list_candidates(s, list, KA_ARRAY_LEN(list));
	const struct candidate *best = NULL;
	uint32_t top = 0;

	for (unsigned int i = 0; i < n; i++)
		top = KA_MAX(top, list[i].mhz);
	for (unsigned int i = 0; i < n; i++) {
		if (list[i].mhz >= top / 5 * 4 && (!best || list[i].cost < best->cost))
			best = &list[i];
	}
	if (!best) {
		ka_errbuf_set(eb, s->wish->format == KA_PIX_NONE ? "The device offers no known picture format."
								 : "The device does not offer the format asked for.");
		return -KA_E_FORMAT;
	}
	*fourcc = best->fourcc->fourcc;
	return 0;
}

/* The size to ask for. */
static int choose_size(struct settle *s, const struct ka_v4l2_mode *mode)
{
	struct v4l2_format f = {.type = s->type};
	int ret;

	if (mode->known) {
		s->width = mode->width;
		s->height = mode->height;
		return 0;
	}
	if (s->wish->width) {
		s->width = s->wish->width;
		s->height = s->wish->height;
		return 0;
	}
	ret = s->io->ioctl(s->io->ctx, s->fd, VIDIOC_G_FMT, &f);
	if (ret < 0)
		return ret;
	s->width = s->type == V4L2_BUF_TYPE_VIDEO_CAPTURE ? f.fmt.pix.width : f.fmt.pix_mp.width;
	s->height = s->type == V4L2_BUF_TYPE_VIDEO_CAPTURE ? f.fmt.pix.height : f.fmt.pix_mp.height;
	return 0;
}

/* Asks for the rate; many devices have nothing to set. */
static uint32_t set_rate(const struct settle *s)
{
	struct v4l2_streamparm p = {.type = s->type};

	p.parm.capture.timeperframe.numerator = 1;
	p.parm.capture.timeperframe.denominator = s->wish->fps;
	if (s->io->ioctl(s->io->ctx, s->fd, VIDIOC_S_PARM, &p) < 0)
		return 0;
	return rate_mhz(&p.parm.capture.timeperframe);
}

int ka_v4l2_dev_settle(const struct ka_v4l2_io *io, int fd, uint32_t buf_type, const struct ka_v4l2_wish *wish,
		       const struct ka_v4l2_mode *mode, struct ka_v4l2_shape *shape, uint32_t *fps_mhz,
		       struct ka_errbuf *eb)
{
	struct settle s = {.io = io, .fd = fd, .type = buf_type, .wish = wish};
	struct v4l2_format f;
	uint32_t fourcc;
	char name[5];
	int ret = choose_size(&s, mode);

	if (ret == 0)
		ret = choose_format(&s, &fourcc, eb);
	if (ret < 0)
		return ret;
	ka_v4l2_planes_ask(&f, buf_type, fourcc, s.width, s.height);
	ret = io->ioctl(io->ctx, fd, VIDIOC_S_FMT, &f);
	if (ret < 0) {
		ka_errbuf_set(eb, "The device refuses %ux%u %s: %s.", s.width, s.height,
			      ka_v4l2_planes_name(name, fourcc), ka_err_str(ret));
		return ret == -EINVAL ? -KA_E_FORMAT : ret;
	}
	ret = ka_v4l2_planes_read(shape, &f, eb);
	if (ret < 0)
		return ret;
	*fps_mhz = mode->known ? mode->fps_mhz : set_rate(&s);
	ka_log_burst(INFO, KA_LINES_AT_ONCE, KA_LINE_GAP_US, "v4l2", "format",
		     "fourcc=%s w=%u h=%u stride=%zu matrix=%d range=%d fps_mhz=%u",
		     ka_v4l2_planes_name(name, shape->fourcc->fourcc), shape->width, shape->height,
		     shape->planes[0].stride, shape->colour.matrix, shape->colour.range, *fps_mhz);
	return 0;
}
