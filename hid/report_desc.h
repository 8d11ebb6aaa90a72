/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HID report descriptors of the four functions, annotated item by item. Immutable tables. */
#ifndef KA_REPORT_DESC_H
#define KA_REPORT_DESC_H

#include <stddef.h>
#include <stdint.h>

#include "hid/report.h"

struct ka_report_desc {
	const char *name;	/* instance name in configfs: "hid.<name>" */
	uint8_t subclass;	/* bInterfaceSubClass: 1 = boot interface */
	uint8_t protocol;	/* bInterfaceProtocol: 1 keyboard, 2 mouse, 0 none */
	uint16_t report_length; /* bytes of its longest input report, report id included */
	const uint8_t *desc;
	size_t desc_len;
};

/* function: enum ka_report_function. */
const struct ka_report_desc *ka_report_desc_of(unsigned int function);

#endif
