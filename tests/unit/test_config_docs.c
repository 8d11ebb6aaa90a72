/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/config.h"
#include "base/fs.h"

static struct ka_config *parse_good(const char *text)
{
	struct ka_errbuf eb = {""};
	struct ka_config *c = NULL;

	if (ka_config_parse(&c, "test.cfg", text, &eb) < 0)
		fail_msg("%s", eb.text);
	return c;
}

static char *read_source_file(const char *name)
{
	struct ka_bytes text;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", KA_SOURCE_DIR, name);
	ka_bytes_init(&text, 65536);
	assert_int_equal(ka_fs_read(path, &text), 0);
	return (char *)text.data;
}

/* "//key" becomes "key": the file as somebody would write it who spells every default out. */
static void uncomment(char *text)
{
	for (char *at = text; (at = strstr(at, "//")); at++) {
		if (at[2] != ' ')
			at[0] = at[1] = ' ';
	}
}

struct docs {
	char *cfg;
	char *man;
	int keys;
};

static void check_documented(void *arg, const char *name)
{
	const char *last = strrchr(name, '.') ? strrchr(name, '.') + 1 : name;
	struct docs *d = arg;
	char wanted[96];

	snprintf(wanted, sizeof(wanted), "//%s = ", last);
	if (!strstr(d->cfg, wanted))
		fail_msg("etc/kvmagent.cfg does not show '%s'", name);
	snprintf(wanted, sizeof(wanted), ".BR %s ", name);
	if (!strstr(d->man, wanted))
		fail_msg("kvmagent.cfg(5) does not describe '%s'", name);
	d->keys++;
}

static void test_every_key_is_documented(void **state)
{
	struct docs d = {.cfg = read_source_file("etc/kvmagent.cfg"),
			 .man = read_source_file("docs/man/kvmagent.cfg.5")};
	int shown = 0;
	int described = 0;

	(void)state;
	ka_config_each_key(check_documented, &d);
	for (char *at = d.cfg; (at = strstr(at, "//")); at++)
		shown += at[2] != ' ';
	for (char *at = d.man; (at = strstr(at, "\n.TP\n")); at++)
		described++;
	assert_int_equal(shown, d.keys);
	assert_int_equal(described, d.keys);
	free(d.cfg);
	free(d.man);
}

#define SAME(field) assert_int_equal(a->field, b->field)
#define SAME_TEXT(field) assert_string_equal(a->field, b->field)

static void check_devices(const struct ka_config *a, const struct ka_config *b)
{
	SAME_TEXT(state_dir);
	SAME_TEXT(runtime_dir);
	SAME(log.level);
	SAME(video.source);
	SAME_TEXT(video.device);
	SAME(video.format);
	SAME_TEXT(video.edid);
	SAME_TEXT(video.edid_modes);
	SAME_TEXT(video.edid_name);
	SAME_TEXT(video.codecs);
	SAME(video.width);
	SAME(video.height);
	SAME(video.fps);
	SAME_TEXT(video.preset);
	SAME(video.threads);
	SAME(video.slate_fps);
	SAME(video.blank_s);
	SAME(video.card_noise);
	SAME(hid.backend);
	SAME_TEXT(hid.record_file);
	SAME_TEXT(hid.serial_device);
	SAME(hid.serial_baud);
	SAME_TEXT(hid.udc);
	SAME_TEXT(hid.gadget);
	SAME(hid.vendor_id);
	SAME(hid.product_id);
	SAME_TEXT(hid.manufacturer);
	SAME_TEXT(hid.product);
	SAME_TEXT(hid.serial);
	SAME(hid.max_power_ma);
	SAME_TEXT(hid.layout);
	SAME(hid.dead_keys);
	SAME(hid.type_interval_ms);
}

static void test_the_commented_file_shows_the_defaults(void **state)
{
	char *text = read_source_file("etc/kvmagent.cfg");
	struct ka_config *a = parse_good(text);
	struct ka_config *b;

	(void)state;
	uncomment(text);
	b = parse_good(text);
	check_devices(a, b);
	SAME(hold_ms);
	SAME_TEXT(power.chip);
	SAME_TEXT(power.power_line);
	SAME_TEXT(power.reset_line);
	SAME_TEXT(power.led_line);
	SAME(power.active_low);
	SAME(power.press_ms);
	SAME(power.hold_ms);
	SAME_TEXT(id);
	SAME_TEXT(rustdesk.password);
	SAME(password_set);
	SAME(rustdesk.permissions);
	SAME(rustdesk.n_access);
	SAME_TEXT(rustdesk.allow_addresses);
	SAME_TEXT(rustdesk.allow_ids);
	SAME_TEXT(rustdesk.totp_secret);
	SAME(rustdesk.trusted_days);
	SAME(rustdesk.idle_s);
	SAME(rustdesk.otp_numeric);
	SAME(rustdesk.otp_length);
	SAME_TEXT(rustdesk.server);
	SAME_TEXT(rustdesk.relay);
	SAME_TEXT(rustdesk.key);
	SAME_TEXT(rustdesk.hostname);
	SAME_TEXT(rustdesk.username);
	SAME(rustdesk.direct);
	SAME_TEXT(rustdesk.direct_address);
	SAME(rustdesk.direct_port);
	SAME(rustdesk.serve.enabled);
	SAME_TEXT(rustdesk.serve.address);
	SAME(rustdesk.serve.port);
	SAME(rustdesk.serve.session_port);
	SAME_TEXT(rustdesk.serve.public_address);
	SAME(rustdesk.serve.n_peers);
	SAME(rustdesk.lan_discovery);
	SAME(rustdesk.lan_port);
	SAME(rustdesk.encryption);
	SAME(rustdesk.platform);
	SAME_TEXT(rustdesk.version);
	SAME(rustdesk.max_sessions);
	ka_config_free(a);
	ka_config_free(b);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key_is_documented),
		cmocka_unit_test(test_the_commented_file_shows_the_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
