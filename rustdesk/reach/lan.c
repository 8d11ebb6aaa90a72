/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/lan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "rustdesk/reach/dial.h"

#define MAC_TEXT 18

struct ka_lan {
	uv_udp_t udp;
	const struct ka_reach_env *env;
	struct ka_lan_limit limit;
	struct ka_pb pb;
	uint8_t rx[KA_RDV_READ_MAX];
};

bool ka_lan_limit_pass(struct ka_lan_limit *l, uint32_t ip, int64_t now_us)
{
	unsigned int i = 0;

	if (!l->since_us || now_us - l->since_us >= KA_LAN_WINDOW_US)
		*l = (struct ka_lan_limit){.since_us = now_us};
	while (i < l->n && l->sources[i].ip != ip)
		i++;
	if (i == KA_LAN_SOURCES || l->total >= KA_LAN_TOTAL)
		return false;
	if (i == l->n)
		l->sources[l->n++].ip = ip;
	if (l->sources[i].count >= KA_LAN_BURST)
		return false;
	l->sources[i].count++;
	l->total++;
	return true;
}

/* True when from is on a subnet of ours; mac: of the interface there, "" for none. */
static bool find_interface(const struct sockaddr_in *from, char mac[static MAC_TEXT])
{
	static const uint8_t none[6];
	uv_interface_address_t *all;
	bool found = false;
	int n;

	*mac = '\0';
	if (uv_interface_addresses(&all, &n) < 0)
		return false;
	for (int i = 0; i < n && !found; i++) {
		const uv_interface_address_t *a = &all[i];
		const uint8_t *m = (const uint8_t *)a->phys_addr;

		if (a->address.address4.sin_family != AF_INET)
			continue;
		found = !((a->address.address4.sin_addr.s_addr ^ from->sin_addr.s_addr) &
			  a->netmask.netmask4.sin_addr.s_addr);
		if (found && memcmp(m, none, sizeof(none)) != 0)
			snprintf(mac, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	}
	uv_free_interface_addresses(all, n);
	return found;
}

static void answer(struct ka_lan *l, const struct sockaddr_in *to)
{
	const struct ka_rd_cfg *rd = l->env->rd;
	char mac[MAC_TEXT];
	struct ka_rdv_pong pong = {
		.mac = mac,
		.id = l->env->identity->id,
		.username = rd->username,
		.hostname = strcmp(rd->hostname, "localhost") != 0 ? rd->hostname : "unknown",
		.platform = ka_rd_platform_name(rd->platform),
	};
	struct ka_rdv_buf b;
	uv_buf_t buf;

	if (!find_interface(to, mac) || ka_rdv_pong(&b, &pong) < 0)
		return;
	buf = uv_buf_init((char *)b.data, (unsigned int)b.len);
	uv_udp_try_send(&l->udp, &buf, 1, (const struct sockaddr *)to);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct ka_lan *l = h->data;

	(void)suggested;
	*buf = uv_buf_init((char *)l->rx, sizeof(l->rx));
}

static void on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned int flags)
{
	struct ka_lan *l = udp->data;
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)from;
	struct ka_rdv_in in;

	if (n <= 0 || !from || from->sa_family != AF_INET || (flags & UV_UDP_PARTIAL))
		return;
	if (!ka_lan_limit_pass(&l->limit, in4->sin_addr.s_addr, ka_clock_us()))
		return;
	if (ka_rdv_read(&l->pb, &in, (const uint8_t *)buf->base, (size_t)n) < 0 || in.kind != KA_RDV_DISCOVERY ||
	    !in.discovery.ping || !strcmp(in.discovery.id, l->env->identity->id))
		return;
	answer(l, in4);
}

static void on_closed(uv_handle_t *h)
{
	struct ka_lan *l = h->data;

	ka_pb_fini(&l->pb);
	free(l);
}

int ka_lan_new(struct ka_lan **out, const struct ka_reach_env *env)
{
	struct ka_lan *l = calloc(1, sizeof(*l));
	struct sockaddr_in any;
	int ret;

	if (!l)
		return -ENOMEM;
	l->env = env;
	ka_pb_init(&l->pb, KA_RDV_BUDGET);
	ret = uv_udp_init(env->uv, &l->udp);
	if (ret < 0) {
		free(l);
		return ret;
	}
	l->udp.data = l;
	uv_ip4_addr("0.0.0.0", env->rd->lan_port, &any);
	ret = uv_udp_bind(&l->udp, (const struct sockaddr *)&any, 0);
	if (ret == 0)
		ret = uv_udp_recv_start(&l->udp, on_alloc, on_datagram);
	if (ret < 0) {
		uv_close((uv_handle_t *)&l->udp, on_closed);
		return ret;
	}
	*out = l;
	return 0;
}

void ka_lan_free(struct ka_lan *l)
{
	if (l)
		uv_close((uv_handle_t *)&l->udp, on_closed);
}
