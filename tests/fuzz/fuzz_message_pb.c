/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a message of a controller, and then what is pure of the way that message takes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/log.h"
#include "proto/message.pb-c.h"
#include "rustdesk/session/keymap.h"
#include "rustdesk/session/quality.h"
#include "rustdesk/wire/pb.h"

#define BUDGET (256u * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void press(const Rd__KeyEvent *k, bool windows)
{
	struct ka_key_event e = {
		.mode = (enum ka_key_mode)KA_CLAMP(k->mode, 0, 2),
		.down = k->down,
		.press = k->press,
		.modifiers = k->modifiers,
		.n_modifiers = k->n_modifiers,
	};
	struct ka_input out[KA_KEYMAP_OUT];
	struct ka_keymap m;

	switch (k->union_case) {
	case RD__KEY_EVENT__UNION_CONTROL_KEY:
		e.what = KA_KEY_CONTROL;
		e.code = k->control_key;
		break;
	case RD__KEY_EVENT__UNION_CHR:
		e.what = KA_KEY_CHR;
		e.code = (int32_t)k->chr;
		break;
	case RD__KEY_EVENT__UNION_UNICODE:
		e.what = KA_KEY_UNICODE;
		e.code = (int32_t)k->unicode;
		break;
	case RD__KEY_EVENT__UNION_WIN2WIN_HOTKEY:
		e.what = KA_KEY_HOTKEY;
		e.code = (int32_t)k->win2win_hotkey;
		break;
	default:
		return;
	}
	ka_keymap_init(&m, windows);
	demand(ka_keymap_translate(&m, &e, out) <= KA_KEYMAP_OUT);
	e.down = e.press = false;
	demand(ka_keymap_translate(&m, &e, out) <= KA_KEYMAP_OUT);
}

static void log_in(const Rd__LoginRequest *r)
{
	char shown[64];

	ka_log_escape(shown, sizeof(shown), r->my_id, strlen(r->my_id));
	ka_log_escape(shown, sizeof(shown), r->my_name, strlen(r->my_name));
	demand(strlen(shown) < sizeof(shown));
	if (r->option) {
		uint32_t ratio = ka_quality_ratio(r->option->image_quality, r->option->custom_image_quality);

		demand(!ratio || (ratio >= 20 && ratio <= 4000));
	}
}

/* What we write of it takes the room it said, and is written the same way again. An unknown member with the number 0 in
 * a long form is taken by protobuf-c but not in the short form it makes of it; that alone may fail to come back. */
static void write_again(const Rd__Message *m)
{
	size_t n = rd__message__get_packed_size(m);
	uint8_t *first = malloc(n + 1);
	uint8_t *second = malloc(n + 1);
	struct ka_pb pb;
	const ProtobufCMessage *back;

	demand(first && second);
	first[n] = 0xa5;
	demand(rd__message__pack(m, first) == n && first[n] == 0xa5);
	ka_pb_init(&pb, 16 * BUDGET);
	back = ka_pb_decode(&pb, &rd__message__descriptor, first, n);
	if (back) {
		demand(protobuf_c_message_get_packed_size(back) == n);
		demand(protobuf_c_message_pack(back, second) == n && !memcmp(first, second, n));
	}
	ka_pb_fini(&pb);
	free(first);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const Rd__Message *m;
	struct ka_pb pb;

	ka_pb_init(&pb, BUDGET);
	m = (const Rd__Message *)ka_pb_decode(&pb, &rd__message__descriptor, data, size);
	demand(pb.used <= BUDGET);
	if (m) {
		if (m->union_case == RD__MESSAGE__UNION_KEY_EVENT) {
			press(m->key_event, false);
			press(m->key_event, true);
		} else if (m->union_case == RD__MESSAGE__UNION_LOGIN_REQUEST) {
			log_in(m->login_request);
		} else if (m->union_case == RD__MESSAGE__UNION_MOUSE_EVENT) {
			(void)ka_keymap_mods(m->mouse_event->modifiers, m->mouse_event->n_modifiers);
		}
		write_again(m);
	}
	ka_pb_fini(&pb);
	return 0;
}
