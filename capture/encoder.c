/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/encoder.h"

#include <unistd.h>

#define MAX_THREADS 16u

int ka_encoder_check_threads(const struct ka_encoder_cfg *cfg, struct ka_errbuf *eb)
{
	if (cfg->threads <= MAX_THREADS)
		return 0;
	ka_errbuf_set(eb, "%u encoder threads are more than %u", cfg->threads, MAX_THREADS);
	return -KA_E_CONFIG;
}

unsigned int ka_encoder_threads(uint64_t useful)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return (unsigned int)KA_CLAMP(useful, (uint64_t)1, (uint64_t)KA_CLAMP(cores, 1, 4));
}
