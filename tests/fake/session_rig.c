/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/session_rig.h"

#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "tests/fake/tcp_pair.h"

static void on_ended(void *arg)
{
	sem_post(arg);
}

int session_rig_init(struct session_rig *r)
{
	struct ka_gate_cfg gate = {
		.password = RIG_PASSWORD, .salt = RIG_SALT, .permissions = KA_RD_MAY_ALL, .max_controllers = 8};
	int ret;

	memset(r, 0, sizeof(*r));
	r->client.fd = -1;
	if (sodium_init() < 0)
		return -EIO;
	ret = fake_host_init(&r->host);
	if (ret < 0)
		return ret;
	sem_init(&r->ended, 0, 0);
	r->cfg = (struct ka_rd_cfg){
		.server = "",
		.relay = "",
		.key = "",
		.hostname = "kvm-test",
		.username = "kvm",
		.password = RIG_PASSWORD,
		.permissions = KA_RD_MAY_ALL,
		.encryption = KA_RD_ENCRYPT_REQUIRED,
		.platform = KA_RD_LINUX,
		.version = "1.3.8",
		.max_sessions = 8,
	};
	memcpy(r->identity.id, RIG_ID, sizeof(RIG_ID));
	memcpy(r->identity.salt, RIG_SALT, sizeof(RIG_SALT));
	crypto_sign_keypair(r->identity.sign_pk, r->identity.sign_sk);
	ret = ka_chat_room_new(&r->chat);
	return ret < 0 ? ret : ka_gate_new(&r->gate, &gate);
}

void session_rig_fini(struct session_rig *r)
{
	if (r->session)
		ka_session_stop(r->session, "The test is over");
	client_fini(&r->client);
	ka_session_free(r->session);
	ka_gate_free(r->gate);
	ka_chat_room_free(r->chat);
	fake_host_fini(&r->host);
	sem_destroy(&r->ended);
}

int session_rig_start_small(struct session_rig *r, enum ka_path path, bool secure, int buffer_bytes)
{
	struct ka_session_cfg cfg = {
		.number = RIG_NUMBER,
		.rd = &r->cfg,
		.identity = &r->identity,
		.host = &r->host.host,
		.gate = r->gate,
		.chat = r->chat,
		.ended = {.fn = on_ended, .arg = &r->ended},
	};
	struct ka_incoming in = {.path = path, .secure = secure};
	struct sockaddr_in *peer = (struct sockaddr_in *)&in.peer;
	int fds[2];
	int ret = tcp_pair(fds, buffer_bytes);

	if (ret < 0)
		return ret;
	peer->sin_family = AF_INET;
	peer->sin_addr.s_addr = htonl(0xcb007107);
	peer->sin_port = htons(50123);
	in.fd = fds[0];
	client_init(&r->client, fds[1]);
	return ka_session_start(&r->session, &cfg, &in);
}

int session_rig_start(struct session_rig *r, enum ka_path path, bool secure)
{
	return session_rig_start_small(r, path, secure, 0);
}

bool session_rig_exchange_keys(struct session_rig *r)
{
	static const uint8_t zero_nonce[crypto_box_NONCEBYTES];
	const Rd__Message *m = client_next(&r->client);
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__PublicKey key = RD__PUBLIC_KEY__INIT;
	uint8_t plain[256];
	unsigned long long plain_len;
	uint8_t pk[32];
	uint8_t sk[32];
	uint8_t symmetric[KA_SEAL_KEY];
	uint8_t sealed[KA_SEAL_KEY + crypto_box_MACBYTES];
	Rd__IdPk *id;
	bool ok;

	if (!m || m->union_case != RD__MESSAGE__UNION_SIGNED_ID || m->signed_id->id.len > sizeof(plain) ||
	    crypto_sign_open(plain, &plain_len, m->signed_id->id.data, m->signed_id->id.len, r->identity.sign_pk))
		return false;
	id = rd__id_pk__unpack(NULL, plain_len, plain);
	ok = id && !strcmp(id->id, RIG_ID) && id->pk.len == 32;
	crypto_box_keypair(pk, sk);
	randombytes_buf(symmetric, sizeof(symmetric));
	ok = ok && !crypto_box_easy(sealed, symmetric, sizeof(symmetric), zero_nonce, id->pk.data, sk);
	if (id)
		rd__id_pk__free_unpacked(id, NULL);
	key.asymmetric_value = (ProtobufCBinaryData){.len = sizeof(pk), .data = pk};
	key.symmetric_value = (ProtobufCBinaryData){.len = sizeof(sealed), .data = sealed};
	msg.union_case = RD__MESSAGE__UNION_PUBLIC_KEY;
	msg.public_key = &key;
	if (!ok || !client_send(&r->client, &msg))
		return false;
	client_seal(&r->client, symmetric);
	return true;
}

bool session_rig_login(struct session_rig *r, void (*edit)(Rd__LoginRequest *r))
{
	const Rd__Message *m;

	if (session_rig_start(r, KA_PATH_DIRECT, false) < 0 || !client_take_hash(&r->client) ||
	    !client_send_login(&r->client, "192.168.1.50", RIG_PASSWORD, edit))
		return false;
	m = client_next(&r->client);
	return m && m->union_case == RD__MESSAGE__UNION_LOGIN_RESPONSE &&
	       m->login_response->union_case == RD__LOGIN_RESPONSE__UNION_PEER_INFO;
}

bool session_rig_wait_end(struct session_rig *r)
{
	struct timespec deadline;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += 20;
	while (sem_timedwait(&r->ended, &deadline) < 0) {
		if (errno != EINTR)
			return false;
	}
	if (!ka_session_ended(r->session))
		return false;
	ka_session_free(r->session);
	r->session = NULL;
	return true;
}
