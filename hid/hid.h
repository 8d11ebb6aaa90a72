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
 * Characters and texts (KA_INPUT_CHAR, KA_INPUT_TEXT) are typed by the target's layout; those that need a dead key or
 * a compose sequence are left out and named in the log. A text is dropped when its source releases, and when the host
 * is gone. Buttons and wheels go to the pointer moved last; before any move to the relative one, so that a click does
 * not make the pointer jump.
 */
enum ka_hid_backend_kind { KA_HID_GADGET, KA_HID_RECORD, KA_HID_NONE, KA_HID_CH9329 };

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
	unsigned int max_power_ma;     /* 2..500 */
	const char *layout;	       /* XKB layout of the target, "us", "de(nodeadkeys)" */
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

struct ka_hid;

/* wake: called (hid thread) when the state changed. Touches no device yet. */
int ka_hid_new(struct ka_hid **out, const struct ka_hid_cfg *cfg, struct ka_wake wake,
	       struct ka_errbuf *eb) KA_MUST_USE;
/* Starts the thread, which composes the gadget; a missing controller is a state, not an error, and is retried. */
int ka_hid_start(struct ka_hid *h) KA_MUST_USE;
/* Any thread, never blocks: releases everything on the target, then takes the gadget down. */
void ka_hid_stop(struct ka_hid *h);
void ka_hid_join(struct ka_hid *h);
void ka_hid_free(struct ka_hid *h);

/* Any thread; consumes the event (text included). */
void ka_hid_post(struct ka_hid *h, struct ka_input *event);
/* Any thread. */
void ka_hid_get_state(struct ka_hid *h, struct ka_hid_state *out);

#endif
