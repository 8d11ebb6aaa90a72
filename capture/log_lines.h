/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many lines of one kind are logged however often a source comes and goes: so many at once, then ten a minute. */
#ifndef KA_LOG_LINES_H
#define KA_LOG_LINES_H

#include "base/clock.h"
#include "base/log.h"

#define KA_LINES_AT_ONCE 8
#define KA_LINE_GAP_US KA_SEC(6)

#endif
