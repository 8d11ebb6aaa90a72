/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a datagram of hbbs: what passes must be within its limits and fit for an answer. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rustdesk/reach/call_rules.h"
#include "rustdesk/reach/rendezvous_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(const struct ka_rdv_call *call)
{
	char relay[KA_RDV_HOST_MAX + 1];
	struct ka_rdv_buf b;

	if (!ka_addr_port(&call->peer) || call->socket_addr_len > sizeof(call->socket_addr) ||
	    (call->kind == KA_RDV_REQUEST_RELAY && !*call->uuid))
		abort();
	ka_call_rules_way(call, KA_NAT_UNKNOWN);
	if (ka_call_rules_relay(relay, sizeof(relay), "", call->relay_server, "hbbs.example", 21116) < 0)
		abort();
	if (ka_rdv_punch_hole_sent(&b, call, "123456789", relay, KA_NAT_ASYMMETRIC, "1.4.5") < 0 ||
	    ka_rdv_frame(&b) < 0)
		abort();
	if (ka_rdv_relay_offer(&b, call, call->uuid, relay, "123456789", "1.4.5") < 0 || ka_rdv_frame(&b) < 0)
		abort();
	if (ka_rdv_request_relay(&b, call->uuid, "") < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ka_rdv_in in;
	struct ka_pb pb;

	ka_pb_init(&pb, KA_RDV_BUDGET);
	if (ka_rdv_read(&pb, &in, data, size) == 0) {
		if (in.kind == KA_RDV_PUNCH_HOLE || in.kind == KA_RDV_FETCH_LOCAL_ADDR ||
		    in.kind == KA_RDV_REQUEST_RELAY)
			answer(&in.call);
		else if (in.kind == KA_RDV_REGISTER_PK_RESPONSE && !*ka_rdv_result_name(in.pk_result))
			abort();
	}
	ka_pb_fini(&pb);
	return 0;
}
