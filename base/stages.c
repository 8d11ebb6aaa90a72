/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/stages.h"

const char *ka_stage_name(enum ka_stage stage)
{
	static const char *const names[KA_STAGES] = {
		[KA_STAGE_ARRIVE] = "arrive", [KA_STAGE_PREPARE] = "prepare", [KA_STAGE_WAIT] = "wait",
		[KA_STAGE_ENCODE] = "encode", [KA_STAGE_QUEUE] = "queue",     [KA_STAGE_SEND] = "send",
		[KA_STAGE_BESIDE] = "beside", [KA_STAGE_WHOLE] = "whole",
	};

	return names[stage];
}

void ka_stages_encoded(struct ka_stages *s, const struct ka_stamps *at)
{
	if (!at->captured_us)
		return;
	ka_histogram_add(&s->of[KA_STAGE_ARRIVE], at->dequeued_us - at->captured_us);
	ka_histogram_add(&s->of[KA_STAGE_PREPARE], at->prepared_us - at->dequeued_us);
	ka_histogram_add(&s->of[KA_STAGE_WAIT], at->begun_us - at->prepared_us);
	ka_histogram_add(&s->of[KA_STAGE_ENCODE], at->encoded_us - at->begun_us);
}

void ka_stages_sent(struct ka_stages *s, const struct ka_stamps *at, int64_t taken_us, int64_t sent_us)
{
	if (!at->captured_us)
		return;
	ka_histogram_add(&s->of[KA_STAGE_QUEUE], taken_us - at->encoded_us);
	ka_histogram_add(&s->of[KA_STAGE_SEND], sent_us - taken_us);
	ka_histogram_add(&s->of[KA_STAGE_BESIDE], sent_us - at->captured_us - (at->encoded_us - at->begun_us));
	ka_histogram_add(&s->of[KA_STAGE_WHOLE], sent_us - at->captured_us);
}
