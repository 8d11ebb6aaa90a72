/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/scope.h"

#include <sodium.h>
#include <string.h>

#define PARTS_MAX 4
#define DIGITS_MAX 9

/* With its length, so that neighbours cannot be shifted into one another. */
static void push(crypto_hash_sha256_state *h, const char *text)
{
	uint64_t len = strlen(text);

	crypto_hash_sha256_update(h, (const uint8_t *)&len, sizeof(len));
	crypto_hash_sha256_update(h, (const uint8_t *)text, len);
}

static void push_number(crypto_hash_sha256_state *h, int32_t v)
{
	crypto_hash_sha256_update(h, (const uint8_t *)&v, sizeof(v));
}

void ka_scope_digest(uint8_t out[static KA_SCOPE_LEN], const Rd__LoginRequest *r)
{
	crypto_hash_sha256_state h;

	crypto_hash_sha256_init(&h);
	push(&h, r->my_id);
	push_number(&h, (int32_t)r->union_case);
	switch (r->union_case) {
	case RD__LOGIN_REQUEST__UNION_FILE_TRANSFER:
		push(&h, r->file_transfer->dir);
		push_number(&h, r->file_transfer->show_hidden);
		break;
	case RD__LOGIN_REQUEST__UNION_PORT_FORWARD:
		push(&h, r->port_forward->host);
		push_number(&h, r->port_forward->port);
		break;
	case RD__LOGIN_REQUEST__UNION_TERMINAL:
		push(&h, r->terminal->service_id);
		break;
	default:
		break;
	}
	crypto_hash_sha256_final(&h, out);
}

bool ka_scope_allows(Rd__LoginRequest__UnionCase kind, const Rd__Message *msg)
{
	switch (msg->union_case) {
	case RD__MESSAGE__UNION_TEST_DELAY:
		return true;
	case RD__MESSAGE__UNION_MISC:
		if (msg->misc->union_case == RD__MISC__UNION_CLOSE_REASON)
			return true;
		break;
	default:
		break;
	}
	return kind == RD__LOGIN_REQUEST__UNION__NOT_SET;
}

/* A number up to the next mark; what is not one counts as 0. */
static int64_t read_number(const char **text)
{
	int64_t v = 0;
	size_t n = strcspn(*text, ".-");

	for (size_t i = 0; i < n && v >= 0; i++)
		v = i < DIGITS_MAX && (*text)[i] >= '0' && (*text)[i] <= '9' ? v * 10 + (*text)[i] - '0' : -1;
	*text += n;
	return v < 0 ? 0 : v;
}

int64_t ka_scope_version(const char *text)
{
	int64_t last = read_number(&text);
	int64_t v = last;

	for (int i = 1; i < PARTS_MAX && *text == '.'; i++) {
		text++;
		last = read_number(&text);
		v = v * 1000 + last;
	}
	v += last * 9;
	if (*text == '-') {
		text++;
		v += read_number(&text);
	}
	return v;
}
