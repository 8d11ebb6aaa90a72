/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Items and usages: "Device Class Definition for HID 1.11" §6.2.2 and "HID Usage Tables 1.4".
 * One item a line: prefix byte, data, meaning; indentation follows the collections.
 */
#include "hid/report_desc.h"

#include <assert.h>

#include "base/attr.h"

/* HID 1.11 appendix E.6, with usages up to 0xff so that F13..F24, keypad, ISO, JIS and language keys fit. */
static const uint8_t keyboard_desc[] = {
	0x05, 0x01,	  /* Usage Page (Generic Desktop) */
	0x09, 0x06,	  /* Usage (Keyboard) */
	0xa1, 0x01,	  /* Collection (Application) */
	0x05, 0x07,	  /*   Usage Page (Keyboard) */
	0x19, 0xe0,	  /*   Usage Minimum (Left Control) */
	0x29, 0xe7,	  /*   Usage Maximum (Right GUI) */
	0x15, 0x00,	  /*   Logical Minimum (0) */
	0x25, 0x01,	  /*   Logical Maximum (1) */
	0x75, 0x01,	  /*   Report Size (1) */
	0x95, 0x08,	  /*   Report Count (8) */
	0x81, 0x02,	  /*   Input (Data, Variable, Absolute): modifiers */
	0x75, 0x08,	  /*   Report Size (8) */
	0x95, 0x01,	  /*   Report Count (1) */
	0x81, 0x01,	  /*   Input (Constant): reserved byte */
	0x05, 0x08,	  /*   Usage Page (LEDs) */
	0x19, 0x01,	  /*   Usage Minimum (Num Lock) */
	0x29, 0x05,	  /*   Usage Maximum (Kana) */
	0x75, 0x01,	  /*   Report Size (1) */
	0x95, 0x05,	  /*   Report Count (5) */
	0x91, 0x02,	  /*   Output (Data, Variable, Absolute): LEDs */
	0x75, 0x03,	  /*   Report Size (3) */
	0x95, 0x01,	  /*   Report Count (1) */
	0x91, 0x01,	  /*   Output (Constant): padding */
	0x05, 0x07,	  /*   Usage Page (Keyboard) */
	0x19, 0x00,	  /*   Usage Minimum (0) */
	0x2a, 0xff, 0x00, /*   Usage Maximum (255) */
	0x15, 0x00,	  /*   Logical Minimum (0) */
	0x26, 0xff, 0x00, /*   Logical Maximum (255) */
	0x75, 0x08,	  /*   Report Size (8) */
	0x95, 0x06,	  /*   Report Count (6) */
	0x81, 0x00,	  /*   Input (Data, Array): keys */
	0xc0,		  /* End Collection */
};

/* A mouse whose axes are absolute, as virtual machines' tablets are: every system takes it without a driver. */
static const uint8_t abs_desc[] = {
	0x05, 0x01,	  /* Usage Page (Generic Desktop) */
	0x09, 0x02,	  /* Usage (Mouse) */
	0xa1, 0x01,	  /* Collection (Application) */
	0x09, 0x01,	  /*   Usage (Pointer) */
	0xa1, 0x00,	  /*   Collection (Physical) */
	0x05, 0x09,	  /*     Usage Page (Button) */
	0x19, 0x01,	  /*     Usage Minimum (Button 1) */
	0x29, 0x05,	  /*     Usage Maximum (Button 5) */
	0x15, 0x00,	  /*     Logical Minimum (0) */
	0x25, 0x01,	  /*     Logical Maximum (1) */
	0x75, 0x01,	  /*     Report Size (1) */
	0x95, 0x05,	  /*     Report Count (5) */
	0x81, 0x02,	  /*     Input (Data, Variable, Absolute): buttons */
	0x75, 0x03,	  /*     Report Size (3) */
	0x95, 0x01,	  /*     Report Count (1) */
	0x81, 0x01,	  /*     Input (Constant): padding */
	0x05, 0x01,	  /*     Usage Page (Generic Desktop) */
	0x09, 0x30,	  /*     Usage (X) */
	0x09, 0x31,	  /*     Usage (Y) */
	0x26, 0xff, 0x7f, /*     Logical Maximum (32767) */
	0x75, 0x10,	  /*     Report Size (16) */
	0x95, 0x02,	  /*     Report Count (2) */
	0x81, 0x02,	  /*     Input (Data, Variable, Absolute): position */
	0x09, 0x38,	  /*     Usage (Wheel) */
	0x15, 0x81,	  /*     Logical Minimum (-127) */
	0x25, 0x7f,	  /*     Logical Maximum (127) */
	0x75, 0x08,	  /*     Report Size (8) */
	0x95, 0x01,	  /*     Report Count (1) */
	0x81, 0x06,	  /*     Input (Data, Variable, Relative): wheel */
	0x05, 0x0c,	  /*     Usage Page (Consumer) */
	0x0a, 0x38, 0x02, /*     Usage (AC Pan) */
	0x81, 0x06,	  /*     Input (Data, Variable, Relative): horizontal wheel */
	0xc0,		  /*   End Collection */
	0xc0,		  /* End Collection */
};

/* The first three bytes are the boot mouse of HID 1.11 B.2; firmware ignores what follows. */
static const uint8_t rel_desc[] = {
	0x05, 0x01,	  /* Usage Page (Generic Desktop) */
	0x09, 0x02,	  /* Usage (Mouse) */
	0xa1, 0x01,	  /* Collection (Application) */
	0x09, 0x01,	  /*   Usage (Pointer) */
	0xa1, 0x00,	  /*   Collection (Physical) */
	0x05, 0x09,	  /*     Usage Page (Button) */
	0x19, 0x01,	  /*     Usage Minimum (Button 1) */
	0x29, 0x05,	  /*     Usage Maximum (Button 5) */
	0x15, 0x00,	  /*     Logical Minimum (0) */
	0x25, 0x01,	  /*     Logical Maximum (1) */
	0x75, 0x01,	  /*     Report Size (1) */
	0x95, 0x05,	  /*     Report Count (5) */
	0x81, 0x02,	  /*     Input (Data, Variable, Absolute): buttons */
	0x75, 0x03,	  /*     Report Size (3) */
	0x95, 0x01,	  /*     Report Count (1) */
	0x81, 0x01,	  /*     Input (Constant): padding */
	0x05, 0x01,	  /*     Usage Page (Generic Desktop) */
	0x09, 0x30,	  /*     Usage (X) */
	0x09, 0x31,	  /*     Usage (Y) */
	0x09, 0x38,	  /*     Usage (Wheel) */
	0x15, 0x81,	  /*     Logical Minimum (-127) */
	0x25, 0x7f,	  /*     Logical Maximum (127) */
	0x75, 0x08,	  /*     Report Size (8) */
	0x95, 0x03,	  /*     Report Count (3) */
	0x81, 0x06,	  /*     Input (Data, Variable, Relative): motion and wheel */
	0x05, 0x0c,	  /*     Usage Page (Consumer) */
	0x0a, 0x38, 0x02, /*     Usage (AC Pan) */
	0x95, 0x01,	  /*     Report Count (1) */
	0x81, 0x06,	  /*     Input (Data, Variable, Relative): horizontal wheel */
	0xc0,		  /*   End Collection */
	0xc0,		  /* End Collection */
};

/* Two application collections need report ids: Windows makes one device of each. */
static const uint8_t control_desc[] = {
	0x05, 0x0c,	  /* Usage Page (Consumer) */
	0x09, 0x01,	  /* Usage (Consumer Control) */
	0xa1, 0x01,	  /* Collection (Application) */
	0x85, 0x01,	  /*   Report ID (1) */
	0x15, 0x00,	  /*   Logical Minimum (0) */
	0x26, 0xff, 0x03, /*   Logical Maximum (1023) */
	0x19, 0x00,	  /*   Usage Minimum (0) */
	0x2a, 0xff, 0x03, /*   Usage Maximum (1023) */
	0x75, 0x10,	  /*   Report Size (16) */
	0x95, 0x01,	  /*   Report Count (1) */
	0x81, 0x00,	  /*   Input (Data, Array): one usage, 0 = none */
	0xc0,		  /* End Collection */
	0x05, 0x01,	  /* Usage Page (Generic Desktop) */
	0x09, 0x80,	  /* Usage (System Control) */
	0xa1, 0x01,	  /* Collection (Application) */
	0x85, 0x02,	  /*   Report ID (2) */
	0x15, 0x01,	  /*   Logical Minimum (1) */
	0x25, 0x03,	  /*   Logical Maximum (3) */
	0x19, 0x81,	  /*   Usage Minimum (System Power Down) */
	0x29, 0x83,	  /*   Usage Maximum (System Wake Up) */
	0x75, 0x08,	  /*   Report Size (8) */
	0x95, 0x01,	  /*   Report Count (1) */
	0x81, 0x00,	  /*   Input (Data, Array): 0 is outside the range and means none */
	0xc0,		  /* End Collection */
};

const struct ka_report_desc *ka_report_desc_of(unsigned int function)
{
	static const struct ka_report_desc all[KA_REPORT_FUNCTIONS] = {
		[KA_REPORT_KEYBOARD] = {"keyboard", 1, 1, 8, keyboard_desc, sizeof(keyboard_desc)},
		[KA_REPORT_ABS] = {"abs", 0, 0, 7, abs_desc, sizeof(abs_desc)},
		[KA_REPORT_REL] = {"rel", 1, 2, 5, rel_desc, sizeof(rel_desc)},
		[KA_REPORT_CONTROL] = {"control", 0, 0, 3, control_desc, sizeof(control_desc)},
	};

	assert(function < KA_REPORT_FUNCTIONS);
	return &all[function];
}
