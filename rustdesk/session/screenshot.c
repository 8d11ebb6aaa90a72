/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client's "Take screenshot": one message each way, so pictures of the stream wait while the file is on its way,
 * and a file that takes the client's whole patience is refused in words. One at a time.
 */
#include "rustdesk/session/session_priv.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define GAP_US KA_SEC(1) /* between the beginnings of two */
/* A client that gets no whole message for 30 s hangs up. */
#define SECONDS_MAX 20
/* Where the link is not that of a LAN and has never been busy: 20 s at 1.7 Mbit/s. */
#define FAR_BYTES (4u * 1024 * 1024)
/* Of the output: answers to other questions find room beside the file. */
#define LEFT_FREE (256u * 1024)

/* text "": there is a file. */
static int respond(struct ka_session *s, const char *sid, const char *text, const struct ka_bytes *png)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__ScreenshotResponse response = RD__SCREENSHOT_RESPONSE__INIT;
	char name[KA_SES_SID_MAX + 1];
	char words[128];

	ka_str_copy(name, sizeof(name), sid);
	ka_str_copy(words, sizeof(words), text);
	response.sid = name;
	response.msg = words;
	if (png)
		response.data = (ProtobufCBinaryData){.len = png->len, .data = png->data};
	msg.union_case = RD__MESSAGE__UNION_SCREENSHOT_RESPONSE;
	msg.screenshot_response = &response;
	return ka_session_send(s, &msg);
}

static int refuse(struct ka_session *s, const char *sid, int cause)
{
	const char *text = ka_err_str(cause);

	switch (cause) {
	case -ENOSYS:
		text = "This device does not take screenshots";
		break;
	case -ENODEV:
		text = s->video.n_displays > 1 ? "This device has no such screen" : "This device has only one screen";
		break;
	case -EBUSY:
		text = "A screenshot is being taken already";
		break;
	case -KA_E_LIMIT:
		text = "Others are taking screenshots: please try again";
		break;
	case -ENODATA:
		text = "Nothing is captured, because nobody watches this screen";
		break;
	case -ETIMEDOUT:
		text = "No picture came from the capture device";
		break;
	case -KA_E_TOO_BIG:
		text = "The screenshot is too big for this connection";
		break;
	}
	return respond(s, sid, text, NULL);
}

/* What the output's limit and, where it is known to be slow, the link allow. */
static size_t most_bytes(const struct ka_session *s)
{
	size_t room = ka_conn_room(s->conn);
	uint64_t rate = s->video.qos.rate;

	room -= KA_MIN(room, (size_t)LEFT_FREE);
	if (s->video.wish.narrow && rate)
		room = (size_t)KA_MIN((uint64_t)room, rate * SECONDS_MAX);
	else if (!rate && !ka_qos_near(&s->video.qos))
		room = KA_MIN(room, (size_t)FAR_BYTES);
	return room;
}

static int begin(struct ka_session *s, int32_t display, int64_t now)
{
	const struct ka_host *host = s->cfg.host;
	int ret;

	if (!host->snapshot)
		return -ENOSYS;
	if (!ka_displays_have(s, display))
		return -ENODEV;
	if (s->shot.job || now < s->shot.next_us)
		return -EBUSY;
	s->shot.max_bytes = most_bytes(s);
	ret = host->snapshot(host->ctx, (size_t)display, s->shot.max_bytes, ka_loop_waker(&s->loop), &s->shot.job);
	if (ret == 0)
		s->shot.next_us = now + GAP_US;
	return ret;
}

int ka_screenshot_request(struct ka_session *s, const Rd__Message *msg)
{
	const Rd__ScreenshotRequest *r = msg->screenshot_request;
	/* What is not UTF-8 would make the client refuse our whole message. */
	const char *sid = ka_utf8_valid(r->sid, KA_SES_SID_MAX) ? r->sid : "";
	int ret = begin(s, r->display, ka_clock_us());

	if (ret < 0)
		return refuse(s, sid, ret);
	ka_str_copy(s->shot.sid, sizeof(s->shot.sid), sid);
	return 0;
}

static int send_file(struct ka_session *s, const struct ka_bytes *png)
{
	struct ka_conn_link link;
	int ret;

	/* Others may have filled the output meanwhile. */
	if (png->len > most_bytes(s))
		return refuse(s, s->shot.sid, -KA_E_TOO_BIG);
	ret = respond(s, s->shot.sid, "", png);
	if (ret == -ENOMEM)
		return refuse(s, s->shot.sid, ret);
	ka_conn_get_link(s->conn, &link);
	s->shot.sent = link.acked + link.outstanding;
	/* From now on pictures wait for the file. */
	s->video.held = false;
	ka_log(INFO, "session", "screenshot", "n=%u bytes=%zu", s->cfg.number, png->len);
	return ret;
}

int ka_screenshot_pump(struct ka_session *s)
{
	const struct ka_host *host = s->cfg.host;
	struct ka_bytes png;
	int ret;

	if (!s->shot.job)
		return 0;
	ret = host->snapshot_take(host->ctx, s->shot.job, &png);
	if (ret == -EAGAIN)
		return 0;
	ka_screenshot_drop(s);
	if (ret < 0)
		return refuse(s, s->shot.sid, ret);
	ret = send_file(s, &png);
	ka_bytes_fini(&png);
	return ret;
}

bool ka_screenshot_under_way(struct ka_session *s)
{
	struct ka_conn_link link;

	if (!s->shot.sent)
		return false;
	ka_conn_get_link(s->conn, &link);
	if (link.acked < s->shot.sent)
		return true;
	s->shot.sent = 0;
	ka_qos_resume(&s->video.qos);
	return false;
}

void ka_screenshot_drop(struct ka_session *s)
{
	if (s->shot.job)
		s->cfg.host->snapshot_drop(s->cfg.host->ctx, s->shot.job);
	s->shot.job = NULL;
}
