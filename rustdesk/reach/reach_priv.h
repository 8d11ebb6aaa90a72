/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For tests of reach/: other patience. */
#ifndef KA_REACH_PRIV_H
#define KA_REACH_PRIV_H

#include "rustdesk/reach/reach.h"
#include "rustdesk/reach/reach_env.h"

/* Before start. */
void ka_reach_set_timing(struct ka_reach *r, const struct ka_reach_timing *timing);
/* What is known and under way. */
const struct ka_reach_env *ka_reach_get_env(const struct ka_reach *r);
unsigned int ka_reach_count_calls(const struct ka_reach *r);

#endif
