/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What strangers may say to the built-in rendezvous service. */
#include <stdlib.h>
#include <string.h>

#include "rustdesk/reach/serve_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool known(void *arg, const char *id)
{
	(void)arg;
	return !strcmp(id, "123456789");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ka_serve_request r;
	struct ka_rdv_buf b;
	struct ka_pb pb;

	ka_pb_init(&pb, KA_RDV_BUDGET * 8);
	if (ka_serve_read(&pb, &r, data, size, known, NULL) == 0) {
		if (strlen(r.id) >= sizeof(r.id) || r.n_online > KA_SERVE_QUERY_MAX)
			abort();
		if (r.kind == KA_SERVE_ONLINE && ka_serve_online_answer(&b, &r) < 0)
			abort();
	}
	ka_pb_fini(&pb);
	return 0;
}
