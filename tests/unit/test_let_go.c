/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Letting go of a target for an agent that has died; the gadget's part is in tests/vm. */
#include "tests/check/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "hid/ch9329.h"
#include "hid/hid.h"

static void test_nothing_there_is_no_error(void **state)
{
	struct ka_hid_cfg cfg = {.backend = KA_HID_GADGET, .configfs = "/nonexistent", .gadget = "kvmagent"};

	(void)state;
	assert_int_equal(ka_hid_let_go(&cfg), 0);
	cfg.backend = KA_HID_NONE;
	assert_int_equal(ka_hid_let_go(&cfg), 0);
	cfg = (struct ka_hid_cfg){.backend = KA_HID_CH9329, .serial_device = "/nonexistent", .serial_baud = 9600};
	assert_int_equal(ka_hid_let_go(&cfg), 0);
	cfg.serial_device = "/dev/null";
	assert_int_equal(ka_hid_let_go(&cfg), -ENOTTY);
}

static void test_chip_is_told_that_all_is_up(void **state)
{
	static const uint8_t keys_up[] = {0x57, 0xab, 0x00, KA_CH9329_KEYBOARD, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0x0c};
	static const uint8_t buttons_up[] = {0x57, 0xab, 0x00, KA_CH9329_REL, 5, 1, 0, 0, 0, 0, 0x0d};
	struct ka_hid_cfg cfg = {.backend = KA_HID_CH9329, .serial_baud = 9600};
	uint8_t got[256];
	size_t n = 0;
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	int slave;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(grantpt(fd), 0);
	assert_int_equal(unlockpt(fd), 0);
	cfg.serial_device = ptsname(fd);
	/* Held open: what was written would go with the last of its writers. */
	slave = open(cfg.serial_device, O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(ka_hid_let_go(&cfg), 0);
	/* The kernel hands it over in its own time. */
	while (n < sizeof(keys_up) + sizeof(buttons_up)) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		ssize_t more;

		assert_int_equal(poll(&ready, 1, 20000), 1);
		more = read(fd, got + n, sizeof(got) - n);
		assert_true(more > 0);
		n += (size_t)more;
	}
	assert_memory_equal(got, keys_up, sizeof(keys_up));
	assert_memory_equal(got + sizeof(keys_up), buttons_up, sizeof(buttons_up));
	close(slave);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_there_is_no_error),
		cmocka_unit_test(test_chip_is_told_that_all_is_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
