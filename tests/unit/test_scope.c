/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a first LoginRequest fixes, and the order of versions. */
#include "tests/check/check.h"

#include <sodium.h>

#include "rustdesk/session/scope.h"

static char ab[] = "ab";
static char c_text[] = "c";
static char abc[] = "abc";
static char none[] = "";

static Rd__FileTransfer in_ab = {PROTOBUF_C_MESSAGE_INIT(&rd__file_transfer__descriptor), ab, 0};
static Rd__FileTransfer in_abc = {PROTOBUF_C_MESSAGE_INIT(&rd__file_transfer__descriptor), abc, 0};
static Rd__FileTransfer hidden_too = {PROTOBUF_C_MESSAGE_INIT(&rd__file_transfer__descriptor), ab, 1};
static Rd__PortForward port_1 = {PROTOBUF_C_MESSAGE_INIT(&rd__port_forward__descriptor), ab, 1};
static Rd__PortForward port_2 = {PROTOBUF_C_MESSAGE_INIT(&rd__port_forward__descriptor), ab, 2};
static Rd__PortForward host_c = {PROTOBUF_C_MESSAGE_INIT(&rd__port_forward__descriptor), c_text, 1};
static Rd__Terminal new_terminal = {PROTOBUF_C_MESSAGE_INIT(&rd__terminal__descriptor), none};
static Rd__Terminal old_terminal = {PROTOBUF_C_MESSAGE_INIT(&rd__terminal__descriptor), ab};
static Rd__ViewCamera camera = RD__VIEW_CAMERA__INIT;

static Rd__LoginRequest request(char *id, Rd__LoginRequest__UnionCase kind, void *parameters)
{
	Rd__LoginRequest r = RD__LOGIN_REQUEST__INIT;

	r.my_id = id;
	r.union_case = kind;
	/* All members of the union are pointers. */
	r.file_transfer = parameters;
	return r;
}

static void test_every_parameter_counts(void **state)
{
	const Rd__LoginRequest all[] = {
		request(none, RD__LOGIN_REQUEST__UNION__NOT_SET, NULL),
		request(ab, RD__LOGIN_REQUEST__UNION__NOT_SET, NULL),
		request(abc, RD__LOGIN_REQUEST__UNION__NOT_SET, NULL),
		request(ab, RD__LOGIN_REQUEST__UNION_FILE_TRANSFER, &in_ab),
		request(ab, RD__LOGIN_REQUEST__UNION_FILE_TRANSFER, &in_abc),
		request(ab, RD__LOGIN_REQUEST__UNION_FILE_TRANSFER, &hidden_too),
		request(abc, RD__LOGIN_REQUEST__UNION_FILE_TRANSFER, &in_ab),
		request(ab, RD__LOGIN_REQUEST__UNION_PORT_FORWARD, &port_1),
		request(ab, RD__LOGIN_REQUEST__UNION_PORT_FORWARD, &port_2),
		request(ab, RD__LOGIN_REQUEST__UNION_PORT_FORWARD, &host_c),
		request(ab, RD__LOGIN_REQUEST__UNION_TERMINAL, &new_terminal),
		request(ab, RD__LOGIN_REQUEST__UNION_TERMINAL, &old_terminal),
		request(ab, RD__LOGIN_REQUEST__UNION_VIEW_CAMERA, &camera),
	};
	uint8_t digests[KA_ARRAY_LEN(all)][KA_SCOPE_LEN];

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(all); i++) {
		ka_scope_digest(digests[i], &all[i]);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(digests[i], digests[k], KA_SCOPE_LEN);
	}
}

static void test_what_a_retry_changes_does_not_count(void **state)
{
	Rd__LoginRequest first = request(ab, RD__LOGIN_REQUEST__UNION__NOT_SET, NULL);
	Rd__LoginRequest again = first;
	uint8_t answer[32] = {1};
	uint8_t a[KA_SCOPE_LEN];
	uint8_t b[KA_SCOPE_LEN];

	(void)state;
	again.password = (ProtobufCBinaryData){.len = sizeof(answer), .data = answer};
	again.my_name = abc;
	again.version = abc;
	ka_scope_digest(a, &first);
	ka_scope_digest(b, &again);
	assert_memory_equal(a, b, KA_SCOPE_LEN);
}

static void test_only_housekeeping_comes_in_every_kind_of_session(void **state)
{
	static const Rd__LoginRequest__UnionCase others[] = {
		RD__LOGIN_REQUEST__UNION_FILE_TRANSFER, RD__LOGIN_REQUEST__UNION_PORT_FORWARD,
		RD__LOGIN_REQUEST__UNION_TERMINAL, RD__LOGIN_REQUEST__UNION_VIEW_CAMERA};
	Rd__Message key = RD__MESSAGE__INIT;
	Rd__Message probe = RD__MESSAGE__INIT;
	Rd__Message wrapped = RD__MESSAGE__INIT;
	Rd__Misc misc = RD__MISC__INIT;

	(void)state;
	key.union_case = RD__MESSAGE__UNION_KEY_EVENT;
	probe.union_case = RD__MESSAGE__UNION_TEST_DELAY;
	wrapped.union_case = RD__MESSAGE__UNION_MISC;
	wrapped.misc = &misc;
	for (size_t i = 0; i < KA_ARRAY_LEN(others); i++) {
		misc.union_case = RD__MISC__UNION_OPTION;
		assert_false(ka_scope_allows(others[i], &key) || ka_scope_allows(others[i], &wrapped));
		misc.union_case = RD__MISC__UNION_CLOSE_REASON;
		assert_true(ka_scope_allows(others[i], &probe) && ka_scope_allows(others[i], &wrapped));
	}
	misc.union_case = RD__MISC__UNION_OPTION;
	assert_true(ka_scope_allows(RD__LOGIN_REQUEST__UNION__NOT_SET, &key));
	assert_true(ka_scope_allows(RD__LOGIN_REQUEST__UNION__NOT_SET, &wrapped));
}

static void test_versions_are_read_as_stock_reads_them(void **state)
{
	static const struct {
		const char *text;
		int64_t version;
	} cases[] = {
		{"", 0},
		{"x", 0},
		{".", 0},
		{"-", 0},
		{"1", 10},
		{"1.2.0", 1002000},
		{"1.1.10", 1001100},
		{"1.4.5", 1004050},
		{"1.2.3-2", 1002032},
		{"1.2.3-2-9", 1002032},
		{"1.x.3", 1000030},
		{"1.2.-5", 1002005},
		{"9999999999.1.1", 1010},
		{"1.2.3 ", 1002000},
	};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(cases); i++)
		assert_true(ka_scope_version(cases[i].text) == cases[i].version);
	assert_true(ka_scope_version("1.4.9") >= KA_SCOPE_VERSION(1, 2, 0));
	assert_true(ka_scope_version("1.1.9-3") < KA_SCOPE_VERSION(1, 2, 0));
	/* Longer than any version, but a number all the same. */
	assert_true(ka_scope_version("999999999.999999999.999999999.999999999.1.1.1.1.1.1-999999999") > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_parameter_counts),
		cmocka_unit_test(test_what_a_retry_changes_does_not_count),
		cmocka_unit_test(test_only_housekeeping_comes_in_every_kind_of_session),
		cmocka_unit_test(test_versions_are_read_as_stock_reads_them),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
