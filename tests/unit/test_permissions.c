/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "rustdesk/session/permissions.h"

static void test_nothing_given_denies_everything_in_stock_order(void **state)
{
	Rd__PermissionInfo__Permission out[KA_PERMISSIONS_MAX];

	(void)state;
	assert_int_equal(ka_permissions_denied(out, KA_PERMISSIONS_STOCK, 0), 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(out[i], i ? i + 1 : 0);
	assert_int_equal(ka_permissions_denied(out, KA_PERMISSIONS_STOCK, KA_PERMISSIONS_STOCK), 0);
	assert_int_equal(ka_permissions_denied(out, 0, 0), 0);
}

static void test_only_what_is_believed_is_denied(void **state)
{
	Rd__PermissionInfo__Permission out[KA_PERMISSIONS_MAX];

	(void)state;
	assert_int_equal(ka_permissions_denied(out, KA_RD_MAY_KEYBOARD | KA_RD_MAY_RECORD, KA_RD_MAY_RECORD), 1);
	assert_int_equal(out[0], RD__PERMISSION_INFO__PERMISSION__KEYBOARD);
	assert_int_equal(ka_permissions_denied(out, KA_RD_MAY_KEYBOARD | KA_RD_MAY_RECORD, KA_RD_MAY_KEYBOARD), 1);
	assert_int_equal(out[0], RD__PERMISSION_INFO__PERMISSION__RECORDING);
	/* Terminals and tunnels have no word of their own. */
	assert_int_equal(ka_permissions_denied(out, KA_RD_MAY_TERMINAL | KA_RD_MAY_TUNNEL, 0), 0);
}

static int press(void *ctx)
{
	(void)ctx;
	return 0;
}

static void test_device_offers_what_any_password_opens_and_it_has(void **state)
{
	static const struct ka_rd_access access[] = {{.name = "a", .permissions = KA_RD_MAY_RECORD | KA_RD_MAY_TUNNEL},
						     {.name = "b", .permissions = KA_RD_MAY_KEYBOARD}};
	const struct ka_host plain = {.ctx = NULL};
	const struct ka_host wired = {.restart = press};
	struct ka_rd_cfg cfg = {.permissions = 0};

	(void)state;
	assert_int_equal(ka_permissions_offered(&cfg, &wired), 0);
	cfg.permissions = KA_RD_MAY_ALL;
	assert_int_equal(ka_permissions_offered(&cfg, &plain), KA_RD_MAY_KEYBOARD | KA_RD_MAY_RECORD);
	assert_int_equal(ka_permissions_offered(&cfg, &wired), KA_RD_MAY_KEYBOARD | KA_RD_MAY_RECORD | KA_RD_MAY_POWER);
	cfg.permissions = 0;
	cfg.access = access;
	cfg.n_access = 1;
	assert_int_equal(ka_permissions_offered(&cfg, &wired), KA_RD_MAY_RECORD);
	cfg.n_access = 2;
	assert_int_equal(ka_permissions_offered(&cfg, &wired), KA_RD_MAY_RECORD | KA_RD_MAY_KEYBOARD);
}

static void test_kinds_of_sessions_need_their_permission(void **state)
{
	static const struct {
		Rd__LoginRequest__UnionCase kind;
		uint32_t needs;
		const char *error;
	} kinds[] = {
		{RD__LOGIN_REQUEST__UNION_FILE_TRANSFER, KA_RD_MAY_FILES, "No permission of file transfer"},
		{RD__LOGIN_REQUEST__UNION_PORT_FORWARD, KA_RD_MAY_TUNNEL, "No permission of IP tunneling"},
		{RD__LOGIN_REQUEST__UNION_TERMINAL, KA_RD_MAY_TERMINAL, "No permission of terminal"},
	};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(kinds); i++) {
		assert_string_equal(ka_permissions_refuse(kinds[i].kind, KA_RD_MAY_ALL & ~kinds[i].needs),
				    kinds[i].error);
		assert_null(ka_permissions_refuse(kinds[i].kind, kinds[i].needs));
	}
	assert_string_equal(ka_permissions_refuse(RD__LOGIN_REQUEST__UNION_VIEW_CAMERA, KA_RD_MAY_ALL),
			    "No permission of viewing camera");
	assert_null(ka_permissions_refuse(RD__LOGIN_REQUEST__UNION__NOT_SET, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_given_denies_everything_in_stock_order),
		cmocka_unit_test(test_only_what_is_believed_is_denied),
		cmocka_unit_test(test_device_offers_what_any_password_opens_and_it_has),
		cmocka_unit_test(test_kinds_of_sessions_need_their_permission),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
