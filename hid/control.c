/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/control.h"

static void set(struct ka_holds *h, uint32_t source, uint16_t usage, bool down)
{
	if (down)
		ka_holds_add(h, source, usage);
	else
		ka_holds_remove(h, source, usage);
}

void ka_control_consumer(struct ka_control *c, uint32_t source, uint16_t usage, bool down)
{
	if (usage >= 1 && usage <= 0x3ff)
		set(&c->consumer, source, usage, down);
}

void ka_control_system(struct ka_control *c, uint32_t source, uint16_t usage, bool down)
{
	if (usage >= 0x81 && usage <= 0x83)
		set(&c->system, source, usage, down);
}

void ka_control_release_source(struct ka_control *c, uint32_t source)
{
	ka_holds_remove_source(&c->consumer, source);
	ka_holds_remove_source(&c->system, source);
}

void ka_control_release_all(struct ka_control *c)
{
	c->consumer.count = 0;
	c->system.count = 0;
}

bool ka_control_take(struct ka_control *c, struct ka_report *out)
{
	uint16_t consumer = ka_holds_newest(&c->consumer);
	uint16_t system = ka_holds_newest(&c->system);

	if (consumer != c->consumer_sent) {
		c->consumer_sent = consumer;
		ka_report_consumer(out, consumer);
		return true;
	}
	if (system != c->system_sent) {
		c->system_sent = system;
		ka_report_system(out, system);
		return true;
	}
	return false;
}
