/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hands on the target: one thread that owns the USB gadget or the chip (keyboard, absolute pointer, relative mouse) and
 * the state of every key and button. Events come in by a bounded mailbox; moves coalesce, and on overflow the queue is
 * emptied and everything released, so a key-up is never lost.
 *
 *   session ─ka_hid_post─► [mailbox] ─► ka-hid: key state ─report─► backend: /dev/hidgN | record | CH9329
 *                                         ▲ LED report ◄──────────────┘
 */
#ifndef KA_HID_H
#define KA_HID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/input.h"
#include "base/wake.h"

/*
 * Characters and texts (KA_INPUT_CHAR, KA_INPUT_TEXT) are typed by the target's layout; what it cannot type is left
 * out, and whoever sent it gets a notice. A text is dropped when its source releases or presses Escape meanwhile (which
 * the target does not see then), by ka_hid_stop_typing(), and when the host is gone. Buttons and wheels go to the
 * pointer moved last; before any move to the relative one, so that a click does not make the pointer jump.
 */
enum ka_hid_backend_kind { KA_HID_GADGET, KA_HID_RECORD, KA_HID_NONE, KA_HID_CH9329 };

/* How the target composes with dead keys; matters for accents that stand alone, such as the acute U+00B4. */
enum ka_dead_keys {
	KA_DEAD_NONE,	 /* dead keys are not used */
	KA_DEAD_COMMON,	 /* what all do alike: letters, and accent and space for all but acute and diaeresis */
	KA_DEAD_LINUX,	 /* acute and diaeresis by the dead key twice; with a space they are the two quotes */
	KA_DEAD_WINDOWS, /* all with a space */
};

/* Section `hid` of the configuration. Immutable; strings belong to the caller and outlive the object. */
struct ka_hid_cfg {
	enum ka_hid_backend_kind backend;
	/* RECORD: one line a report, "<monotonic us> keyboard|abs|rel|control <hex>", is appended here; "" = to the
	 * log. Such a target is always there and sets no LEDs. */
	const char *record_file;
	const char *serial_device; /* CH9329: the serial line the chip is at */
	unsigned int serial_baud;
	const char *udc;       /* GADGET: name in /sys/class/udc; "" = the first one */
	const char *configfs;  /* "/sys/kernel/config" */
	const char *udc_class; /* "/sys/class/udc" */
	const char *gadget;    /* name of the gadget folder, "kvmagent" */
	uint16_t vendor_id, product_id;
	const char *manufacturer, *product, *serial;
	unsigned int max_power_ma; /* 2..500 */
	const char *layout;	   /* XKB layout of the target, "us", "de(nodeadkeys)" */
	enum ka_dead_keys dead_keys;
	unsigned int type_interval_ms; /* pause between typed strokes, 1..1000 */
};

enum ka_usb_state {
	KA_USB_NONE,	   /* no controller, or composing the gadget failed: cause says why */
	KA_USB_DETACHED,   /* bound, no host attached */
	KA_USB_SUSPENDED,  /* host sleeps */
	KA_USB_CONFIGURED, /* reports land */
};

/* Whether a serial line can have this speed. Pure. */
bool ka_hid_has_speed(unsigned int baud);
/* "none", "detached", "suspended" or "configured". Pure. */
const char *ka_usb_state_name(enum ka_usb_state s);

struct ka_hid_state {
	enum ka_usb_state usb;
	int cause;	  /* with KA_USB_NONE: negative result */
	uint8_t leds;	  /* ka_led bits the target set last; 0 until it did */
	bool leds_known;  /* the target has set LEDs since it configured the gadget */
	uint64_t reports; /* written to the host */
	uint64_t dropped; /* superseded or refused while no host took them */
};

#define KA_HID_NOTICE_CODES 8

enum ka_hid_notice_kind {
	KA_HID_LEFT_OUT, /* the layout cannot type these characters */
	KA_HID_REFUSED,	 /* a text: too many wait already */
	KA_HID_STOPPED,	 /* typing was stopped: by Escape, an operator, or because the host went */
};

/* News for whoever sent keys or texts. */
struct ka_hid_notice {
	enum ka_hid_notice_kind kind;
	uint32_t source;
	unsigned int count; /* characters left out, or not typed any more */
	unsigned int named;
	uint32_t codes[KA_HID_NOTICE_CODES]; /* LEFT_OUT: the first ones, each once; U+FFFD: bytes that are no UTF-8 */
};

struct ka_hid;

/* For when an agent has died: takes away what it left on the target, so that nothing it held stays down. No agent may
 * be running with this configuration. 0 also when there was nothing. Blocks. */
int ka_hid_let_go(const struct ka_hid_cfg *cfg) KA_MUST_USE;

/* wake: called (hid thread) when the state changed. Touches no device yet. */
int ka_hid_new(struct ka_hid **out, const struct ka_hid_cfg *cfg, struct ka_wake wake,
	       struct ka_errbuf *eb) KA_MUST_USE;
/* Starts the thread, which composes the gadget; a missing controller is a state, not an error, and is retried. */
int ka_hid_start(struct ka_hid *h) KA_MUST_USE;
/* Any thread, never blocks: releases everything on the target, then takes the gadget down. */
void ka_hid_stop(struct ka_hid *h);
/* One thread alone, a few seconds apart, while it runs. False: the thread has not come round since the time before. */
bool ka_hid_alive(struct ka_hid *h);
void ka_hid_join(struct ka_hid *h);
void ka_hid_free(struct ka_hid *h);

/* Any thread; consumes the event (text included). */
void ka_hid_post(struct ka_hid *h, struct ka_input *event);
/* Any thread, never blocks: drops all texts, and the keys that wait for their end. */
void ka_hid_stop_typing(struct ka_hid *h);
/* Any thread: the oldest notice; false when there is none. The wake of ka_hid_new() tells. At most 16 wait; older ones
 * give way. */
bool ka_hid_take_notice(struct ka_hid *h, struct ka_hid_notice *out) KA_MUST_USE;
/* Any thread. */
void ka_hid_get_state(struct ka_hid *h, struct ka_hid_state *out);

#endif
