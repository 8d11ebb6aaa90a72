/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person at the terminal needs to connect. Prints to stdout; main thread. */
#ifndef KA_BANNER_H
#define KA_BANNER_H

#include <stdint.h>

#include "agent/config.h"

void ka_banner_print(const struct ka_config *cfg, const struct ka_rd_identity *identity,
		     const struct ka_rd_status *status);
/* "" = there is none. */
void ka_banner_otp(const char *otp);

#endif
