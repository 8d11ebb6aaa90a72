/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gadget over a fake configfs, controllers in a plain folder, and the kernel's notices. */
#include "tests/check/check.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fs.h"
#include "base/log.h"
#include "hid/gadget.h"
#include "hid/report_desc.h"
#include "hid/udc.h"
#include "hid/uevent.h"
#include "tests/fake/fake_configfs.h"

struct bench {
	struct fake_configfs fs;
	struct ka_hid_cfg cfg;
	struct ka_errbuf eb;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->fs.hid_functions = 4;
	fake_configfs_begin(&b->fs);
	b->cfg = (struct ka_hid_cfg){.backend = KA_HID_GADGET,
				     .udc = "",
				     .configfs = b->fs.root,
				     .udc_class = b->fs.root,
				     .gadget = "kvmagent",
				     .vendor_id = 0x1d6b,
				     .product_id = 0x0104,
				     .manufacturer = "Maker",
				     .product = "KVM",
				     .serial = "",
				     .max_power_ma = 500};
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	fake_configfs_end();
	free(*state);
	return 0;
}

static const char *path_of(struct bench *b, const char *below, char *dst, size_t size)
{
	snprintf(dst, size, "%s/usb_gadget/%s", b->fs.root, below);
	return dst;
}

static bool exists(struct bench *b, const char *below)
{
	char path[256];

	return access(path_of(b, below, path, sizeof(path)), F_OK) == 0;
}

static void assert_attr(struct bench *b, const char *below, const char *expected)
{
	char path[256];
	char text[64];

	assert_int_equal(ka_fs_read_attr(path_of(b, below, path, sizeof(path)), text, sizeof(text)), 0);
	assert_string_equal(text, expected);
}

static void make_foreign(struct bench *b, const char *name, const char *udc)
{
	char path[256];
	char below[128];

	assert_int_equal(mkdir(path_of(b, name, path, sizeof(path)), 0755), 0);
	snprintf(below, sizeof(below), "%s/UDC", name);
	assert_int_equal(ka_fs_write_attr(path_of(b, below, path, sizeof(path)), udc), 0);
}

static void test_missing_configfs_says_what_to_do(void **state)
{
	struct bench *b = *state;
	struct ka_gadget *g;

	b->cfg.configfs = "/nonexistent";
	assert_int_equal(ka_gadget_new(&g, &b->cfg, "udc.0", &b->eb), -ENOENT);
	assert_non_null(strstr(b->eb.text, "modprobe libcomposite"));
	assert_non_null(strstr(b->eb.text, "/nonexistent"));
}

static void test_missing_hid_function_says_what_to_do(void **state)
{
	struct bench *b = *state;
	struct ka_gadget *g;

	b->fs.no_hid = true;
	assert_int_equal(ka_gadget_new(&g, &b->cfg, "udc.0", &b->eb), -ENOENT);
	assert_non_null(strstr(b->eb.text, "modprobe usb_f_hid"));
	assert_false(exists(b, "kvmagent"));
}

static void test_gadget_is_composed_bound_and_removed(void **state)
{
	struct bench *b = *state;
	struct ka_gadget *g = NULL;
	struct ka_bytes desc;
	char path[256];

	assert_int_equal(ka_gadget_new(&g, &b->cfg, "udc.0", &b->eb), 0);
	assert_int_equal(ka_gadget_count(g), 4);
	assert_attr(b, "kvmagent/UDC", "udc.0");
	assert_attr(b, "kvmagent/idVendor", "0x1d6b");
	assert_attr(b, "kvmagent/idProduct", "0x0104");
	assert_attr(b, "kvmagent/strings/0x409/manufacturer", "Maker");
	assert_attr(b, "kvmagent/configs/c.1/MaxPower", "500");
	assert_attr(b, "kvmagent/configs/c.1/bmAttributes", "0xa0");
	assert_attr(b, "kvmagent/functions/hid.keyboard/protocol", "1");
	assert_attr(b, "kvmagent/functions/hid.keyboard/subclass", "1");
	assert_attr(b, "kvmagent/functions/hid.keyboard/report_length", "8");
	assert_attr(b, "kvmagent/functions/hid.rel/protocol", "2");
	for (unsigned int i = 0; i < KA_REPORT_FUNCTIONS; i++) {
		const struct ka_report_desc *d = ka_report_desc_of(i);
		char below[96];

		snprintf(below, sizeof(below), "kvmagent/functions/hid.%s/no_out_endpoint", d->name);
		assert_attr(b, below, "1");
		snprintf(below, sizeof(below), "kvmagent/configs/c.1/%s", d->name);
		assert_true(exists(b, below));
		snprintf(below, sizeof(below), "kvmagent/functions/hid.%s/report_desc", d->name);
		ka_bytes_init(&desc, 4096);
		assert_int_equal(ka_fs_read(path_of(b, below, path, sizeof(path)), &desc), 0);
		assert_int_equal(desc.len, d->desc_len);
		assert_memory_equal(desc.data, d->desc, d->desc_len);
		ka_bytes_fini(&desc);
	}
	ka_gadget_free(g);
	assert_false(exists(b, "kvmagent"));
	assert_int_equal(b->fs.hid_functions, 4);
	ka_gadget_free(NULL);
}

static void test_old_kernel_keeps_the_out_endpoint(void **state)
{
	struct bench *b = *state;
	struct ka_gadget *g = NULL;

	b->fs.old_kernel = true;
	assert_int_equal(ka_gadget_new(&g, &b->cfg, "udc.0", &b->eb), 0);
	assert_false(exists(b, "kvmagent/functions/hid.keyboard/no_out_endpoint"));
	ka_gadget_free(g);
}

static void test_leftover_is_taken_over(void **state)
{
	struct bench *b = *state;
	struct ka_gadget *killed = NULL;
	struct ka_gadget *g = NULL;

	assert_int_equal(ka_gadget_new(&killed, &b->cfg, "udc.0", &b->eb), 0);
	assert_int_equal(ka_gadget_new(&g, &b->cfg, "udc.1", &b->eb), 0);
	assert_attr(b, "kvmagent/UDC", "udc.1");
	assert_int_equal(ka_gadget_count(g), 4);
	ka_gadget_free(g);
	assert_false(exists(b, "kvmagent"));
	/* Removing what is not there any more is no trouble either. */
	ka_gadget_free(killed);
}

static void test_half_made_leftover_is_taken_over(void **state)
{
	struct bench *b = *state;
	struct ka_gadget *g = NULL;
	char path[256];

	assert_int_equal(mkdir(path_of(b, "kvmagent", path, sizeof(path)), 0755), 0);
	assert_int_equal(mkdir(path_of(b, "kvmagent/functions/hid.odd", path, sizeof(path)), 0755), 0);
	assert_int_equal(mkdir(path_of(b, "kvmagent/configs/x.3", path, sizeof(path)), 0755), 0);
	assert_int_equal(ka_gadget_new(&g, &b->cfg, "udc.0", &b->eb), 0);
	assert_false(exists(b, "kvmagent/functions/hid.odd"));
	assert_int_equal(ka_gadget_count(g), 4);
	ka_gadget_free(g);
}

static void test_foreign_gadget_is_named_and_left_alone(void **state)
{
	struct bench *b = *state;
	struct ka_gadget *g = NULL;

	make_foreign(b, "printer", "udc.0\n");
	make_foreign(b, "idle", "");
	assert_int_equal(ka_gadget_new(&g, &b->cfg, "udc.0", &b->eb), -EBUSY);
	assert_non_null(strstr(b->eb.text, "'printer'"));
	assert_attr(b, "printer/UDC", "udc.0");
	assert_false(exists(b, "kvmagent"));
	/* On another controller it is in nobody's way. */
	assert_int_equal(ka_gadget_new(&g, &b->cfg, "udc.1", &b->eb), 0);
	ka_gadget_free(g);
	assert_true(exists(b, "printer"));
	assert_true(exists(b, "idle"));
}

static void test_too_few_device_numbers_leave_functions_out(void **state)
{
	struct bench *b = *state;
	struct ka_gadget *g = NULL;

	b->fs.hid_functions = 2;
	assert_int_equal(ka_gadget_new(&g, &b->cfg, "udc.0", &b->eb), 0);
	assert_int_equal(ka_gadget_count(g), 2);
	assert_attr(b, "kvmagent/UDC", "udc.0");
	assert_true(exists(b, "kvmagent/functions/hid.abs"));
	assert_false(exists(b, "kvmagent/functions/hid.rel"));
	ka_gadget_free(g);
	b->fs.hid_functions = 0;
	assert_int_equal(ka_gadget_new(&g, &b->cfg, "udc.0", &b->eb), -ENODEV);
	assert_false(exists(b, "kvmagent"));
}

static void test_failed_bind_leaves_nothing_behind(void **state)
{
	struct bench *b = *state;
	struct ka_gadget *g = NULL;

	b->fs.bind_fails = true;
	assert_int_equal(ka_gadget_new(&g, &b->cfg, "udc.0", &b->eb), -ENOSPC);
	assert_non_null(strstr(b->eb.text, "bind"));
	assert_null(g);
	assert_false(exists(b, "kvmagent"));
	assert_int_equal(b->fs.hid_functions, 4);
}

static void test_bound_is_noticed(void **state)
{
	struct bench *b = *state;
	struct ka_gadget *g = NULL;
	char path[256];
	char udc[96];

	snprintf(udc, sizeof(udc), "%s/udc.0", b->fs.root);
	assert_int_equal(mkdir(udc, 0755), 0);
	assert_int_equal(ka_gadget_new(&g, &b->cfg, "udc.0", &b->eb), 0);
	assert_true(ka_gadget_bound(g));
	assert_int_equal(rmdir(udc), 0);
	assert_false(ka_gadget_bound(g));
	assert_int_equal(mkdir(udc, 0755), 0);
	assert_true(ka_gadget_bound(g));
	/* Somebody else unbinds it. */
	assert_int_equal(truncate(path_of(b, "kvmagent/UDC", path, sizeof(path)), 0), 0);
	assert_false(ka_gadget_bound(g));
	ka_gadget_free(g);
	assert_int_equal(rmdir(udc), 0);
}

static void test_node_is_found_by_its_number(void **state)
{
	struct bench *b = *state;
	struct ka_gadget *g = NULL;
	char name[96];
	char path[256];

	assert_int_equal(ka_gadget_new(&g, &b->cfg, "udc.0", &b->eb), 0);
	assert_int_equal(ka_gadget_node(g, 0, "/nonexistent", path, sizeof(path)), -ENOENT);
	snprintf(name, sizeof(name), "%s/hidg0", b->fs.root);
	assert_int_equal(symlink("/dev/zero", name), 0);
	assert_int_equal(ka_gadget_node(g, 0, b->fs.root, path, sizeof(path)), -ENOENT);
	snprintf(name, sizeof(name), "%s/hidg7", b->fs.root);
	assert_int_equal(symlink("/dev/null", name), 0);
	assert_int_equal(ka_gadget_node(g, 0, b->fs.root, path, sizeof(path)), 0);
	assert_string_equal(path, name);
	assert_int_equal(ka_gadget_node(g, 4, b->fs.root, path, sizeof(path)), -ENOENT);
	ka_gadget_free(g);
}

static void test_controllers_are_found_by_name_or_in_order(void **state)
{
	struct bench *b = *state;
	char dir[96];
	char path[128];
	char name[KA_UDC_NAME];

	snprintf(dir, sizeof(dir), "%s/class", b->fs.root);
	assert_int_equal(ka_udc_find(dir, "", name, sizeof(name)), -ENODEV);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(ka_udc_find(dir, "", name, sizeof(name)), -ENODEV);
	snprintf(path, sizeof(path), "%s/fe980000.usb", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/dummy_udc.0", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(ka_udc_find(dir, "", name, sizeof(name)), 0);
	assert_string_equal(name, "dummy_udc.0");
	assert_int_equal(ka_udc_find(dir, "fe980000.usb", name, sizeof(name)), 0);
	assert_string_equal(name, "fe980000.usb");
	assert_int_equal(ka_udc_find(dir, "other", name, sizeof(name)), -ENODEV);
	assert_int_equal(ka_udc_find(dir, "", name, 4), -ENODEV);
}

static void test_states_of_a_controller(void **state)
{
	(void)state;
	assert_int_equal(ka_udc_parse_state("configured"), KA_USB_CONFIGURED);
	assert_int_equal(ka_udc_parse_state("suspended"), KA_USB_SUSPENDED);
	assert_int_equal(ka_udc_parse_state("not attached"), KA_USB_DETACHED);
	assert_int_equal(ka_udc_parse_state("addressed"), KA_USB_DETACHED);
	assert_int_equal(ka_udc_parse_state(""), KA_USB_DETACHED);
	assert_int_equal(ka_udc_wake_host("/nonexistent", "x"), -ENOENT);
}

static void test_notices_are_parsed(void **state)
{
	static const char add[] = "add@/devices/platform/x/udc/x\0ACTION=add\0DEVPATH=/devices/x\0SUBSYSTEM=udc\0";
	static const char gone[] = "remove@/y\0ACTION=remove\0SUBSYSTEM=udc";
	static const char usb[] = "add@/z\0ACTION=add\0SUBSYSTEM=usb\0X=SUBSYSTEM=udc\0";

	(void)state;
	assert_int_equal(ka_uevent_parse(add, sizeof(add)), KA_UEVENT_ADD);
	assert_int_equal(ka_uevent_parse(gone, sizeof(gone)), KA_UEVENT_REMOVE);
	/* Cut off in the last line: not taken for whole. */
	assert_int_equal(ka_uevent_parse(gone, sizeof(gone) - 1), KA_UEVENT_OTHER);
	assert_int_equal(ka_uevent_parse(usb, sizeof(usb)), KA_UEVENT_OTHER);
	assert_int_equal(ka_uevent_parse("", 0), KA_UEVENT_OTHER);
	assert_int_equal(ka_uevent_parse("\0\0\0", 3), KA_UEVENT_OTHER);
	assert_int_equal(ka_uevent_parse("SUBSYSTEM=udc\0ACTION=change", 28), KA_UEVENT_CHANGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_missing_configfs_says_what_to_do),
		TEST(test_missing_hid_function_says_what_to_do),
		TEST(test_gadget_is_composed_bound_and_removed),
		TEST(test_old_kernel_keeps_the_out_endpoint),
		TEST(test_leftover_is_taken_over),
		TEST(test_half_made_leftover_is_taken_over),
		TEST(test_foreign_gadget_is_named_and_left_alone),
		TEST(test_too_few_device_numbers_leave_functions_out),
		TEST(test_failed_bind_leaves_nothing_behind),
		TEST(test_bound_is_noticed),
		TEST(test_node_is_found_by_its_number),
		TEST(test_controllers_are_found_by_name_or_in_order),
		TEST(test_states_of_a_controller),
		TEST(test_notices_are_parsed),
	};

	ka_log_init(STDERR_FILENO, KA_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
