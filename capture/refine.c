/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/refine.h"

#include "base/attr.h"
#include "base/clock.h"

#define STILL_US KA_MS(150)
/* Each makes at least one block final; a narrow link needs a few hundred for a page. */
#define PASSES_MOST 2000u

void ka_refine_moved(struct ka_refine *r, int64_t period_us, int64_t now_us)
{
	*r = (struct ka_refine){now_us + KA_MAX(STILL_US, period_us + period_us / 2), PASSES_MOST};
}

void ka_refine_stop(struct ka_refine *r)
{
	r->left = 0;
}

int64_t ka_refine_due(const struct ka_refine *r)
{
	return r->left ? r->due_us : INT64_MAX;
}

void ka_refine_done(struct ka_refine *r, bool more, int64_t gap_us, int64_t now_us)
{
	r->due_us = now_us + gap_us;
	r->left = more && r->left ? r->left - 1 : 0;
}
