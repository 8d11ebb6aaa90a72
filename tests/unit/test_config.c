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

#define HASH "32312cd2a84a2ea2ee6e439fa1b2b21991fad68e6b7a058bcd5e14bbee3980dd"
#define KEY "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="

static struct ka_config *parse_good(const char *text)
{
	struct ka_errbuf eb = {""};
	struct ka_config *c = NULL;

	if (ka_config_parse(&c, "test.cfg", text, &eb) < 0)
		fail_msg("%s", eb.text);
	return c;
}

static void expect_error(const char *text, const char *start, const char *part)
{
	struct ka_errbuf eb = {""};
	struct ka_config *c = NULL;

	assert_int_equal(ka_config_parse(&c, "test.cfg", text, &eb), -KA_E_CONFIG);
	assert_null(c);
	if (strncmp(eb.text, start, strlen(start)) || !strstr(eb.text, part))
		fail_msg("got '%s', wanted '%s ... %s'", eb.text, start, part);
}

static void test_empty_file_gives_defaults(void **state)
{
	struct ka_config *c = parse_good("");

	(void)state;
	assert_string_equal(c->state_dir, "/var/lib/kvmagent");
	assert_string_equal(c->control_group, "kvmagent");
	assert_int_equal(c->video.source, KA_SOURCE_V4L2);
	assert_string_equal(c->video.device, "/dev/video0");
	assert_int_equal(c->video.fps, 30);
	assert_string_equal(c->video.preset, "ultrafast");
	assert_int_equal(c->hid.backend, KA_HID_GADGET);
	assert_int_equal(c->hid.vendor_id, 0x1d6b);
	assert_false(c->rustdesk.direct);
	assert_int_equal(c->rustdesk.direct_port, 21118);
	assert_int_equal(c->rustdesk.encryption, KA_RD_ENCRYPT_REQUIRED);
	assert_int_equal(c->rustdesk.otp_length, 8);
	assert_false(c->rustdesk.approval);
	ka_config_free(c);
}

static void test_values_of_every_kind_arrive(void **state)
{
	struct ka_config *c =
		parse_good("video = { source = \"card\"; width = 640; height = 480; fps = 5; "
			   "format = \"NV24\"; };\n"
			   "rustdesk = { id = \"my-kvm_1\"; direct = { enabled = true; port = 0; }; "
			   "platform = \"Windows\"; approval = true; encryption = \"optional\"; serve = { peers = ( { "
			   "id = \"kvm-two\"; address = \"10.0.0.1:1\"; "
			   "key = \"A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=\"; } ); }; };\n"
			   "log = { level = \"trace\"; };");

	(void)state;
	assert_int_equal(c->video.source, KA_SOURCE_CARD);
	assert_int_equal(c->video.width, 640);
	assert_int_equal(c->video.format, KA_PIX_NV24);
	assert_string_equal(c->id, "my-kvm_1");
	assert_true(c->rustdesk.direct);
	assert_int_equal(c->rustdesk.direct_port, 0);
	assert_int_equal(c->rustdesk.platform, KA_RD_WINDOWS);
	assert_true(c->rustdesk.approval);
	assert_int_equal(c->rustdesk.encryption, KA_RD_ENCRYPT_OPTIONAL);
	assert_int_equal(c->log.level, KA_LOG_TRACE);
	assert_int_equal(c->rustdesk.serve.n_peers, 1);
	assert_string_equal(c->rustdesk.serve.peers[0].id, "kvm-two");
	assert_int_equal(c->rustdesk.serve.peers[0].pk[0], 0x03);
	ka_config_free(c);
}

static void test_errors_name_file_line_and_remedy(void **state)
{
	(void)state;
	expect_error("\nvideo = {\n  sorce = \"card\";\n};", "test.cfg:3:", "did you mean 'source'?");
	expect_error("vidio = { };", "test.cfg:1:", "did you mean 'video'?");
	expect_error("zzzzzz = 1;", "test.cfg:1:", "unknown key 'zzzzzz' in the file");
	expect_error("video = {\n fps = 0; };", "test.cfg:2:", "must be 1 to 120");
	expect_error("video = { fps = 121; };", "test.cfg:1:", "121");
	expect_error("video = { fps = 99999999999L; };", "test.cfg:1:", "must be 1 to 120");
	expect_error("video = { fps = \"30\"; };", "test.cfg:1:", "whole number");
	expect_error("video = { fps = 3.5; };", "test.cfg:1:", "whole number");
	expect_error("video = { source = \"hdmi\"; };", "test.cfg:1:", "\"v4l2\", \"card\"");
	expect_error("video = { source = 1; };", "test.cfg:1:", "\"v4l2\"");
	expect_error("video = 5;", "test.cfg:1:", "must be a group");
	expect_error("rustdesk = { lan_discovery = 1; };", "test.cfg:1:", "true or false");
	expect_error("rustdesk = { server = 1; };", "test.cfg:1:", "double quotes");
	expect_error("video = {", "test.cfg:", "");
	expect_error("rustdesk = { password = \"a\"; password = \"b\"; };", "test.cfg:1:", "");
}

static void test_whole_checks(void **state)
{
	(void)state;
	expect_error("rustdesk = { id = \"12345\"; };", "test.cfg:1:", "6 to 16");
	expect_error("rustdesk = { id = \"abc def\"; };", "test.cfg:1:", "6 to 16");
	expect_error("rustdesk = { id = \"12345678901234567\"; };", "test.cfg:1:", "0 to 16");
	expect_error("rustdesk = { key = \"short\"; };", "test.cfg:1:", "id_ed25519.pub");
	expect_error("rustdesk = { one_time_password_length = 5; };", "test.cfg:1:", "6 to 32");
	expect_error("rustdesk = {\nallow_addresses = \"10.0.0.0/8, 10.0.0/24\"; };", "test.cfg:2:", "'10.0.0/24'");
	expect_error("rustdesk = { password_hash = \"12\"; };", "test.cfg:1:", "64 digits");
	expect_error("rustdesk = { password = \"x\";\npassword_hash = \"" HASH "\"; };", "test.cfg:1:", "same thing");
	expect_error("rustdesk = { access = ( { name = \"x\"; } ); };", "test.cfg:1:", "needs 'name'");
	expect_error("rustdesk = { access = ( { name = \"x\"; password_hash = \"" HASH "\"; keybord = true; } ); };",
		     "test.cfg:1:", "keyboard");
	expect_error("rustdesk = { one_time_password_length = 0; };", "test.cfg:1:", "nobody could log in");
	ka_config_free(parse_good("rustdesk = { one_time_password_length = 0; approval = true; };"));
	expect_error("rustdesk = { serve = { peers = 3; }; };", "test.cfg:1:", "must be a list of groups");
	expect_error("rustdesk = { serve = { peers = ( 3 ); }; };", "test.cfg:1:", "must be a group");
	expect_error("rustdesk = { serve = { peers = ( { id = \"kvm-two\"; } ); }; };", "test.cfg:1:", "needs 'id'");
	expect_error("rustdesk = { serve = { peers = ( { idd = \"x\"; } ); }; };", "test.cfg:1:", "did you mean 'id'");
	expect_error("rustdesk = { serve = { peers = ( { id = \"kvm-two\"; address = \"10.0.0.1\"; "
		     "key = \"############################################\"; } ); }; };",
		     "test.cfg:1:", "base64");
	expect_error("video = { width = 640; };", "test.cfg:1:", "go together");
	expect_error("video = { width = 16; height = 16; };", "test.cfg:1:", "at least");
	ka_config_free(parse_good("rustdesk = { password = \"x\"; one_time_password_length = 0; "
				  "key = \"A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=\"; };"));
}

static void test_one_display_is_the_section_itself(void **state)
{
	struct ka_config *c = parse_good("video = { device = \"/dev/video7\"; fps = 20; };");

	(void)state;
	assert_int_equal(c->n_displays, 1);
	assert_string_equal(c->displays[0].name, "HDMI");
	assert_string_equal(c->displays[0].video.device, "/dev/video7");
	assert_int_equal(c->displays[0].video.fps, 20);
	assert_false(c->displays[0].placed);
	ka_config_free(c);
	c = parse_good("video = { displays = (); };");
	assert_int_equal(c->n_displays, 1);
	assert_string_equal(c->displays[0].video.device, "/dev/video0");
	ka_config_free(c);
}

static void test_displays_take_what_they_do_not_say_from_the_section(void **state)
{
	/* Also what stands behind the list. */
	struct ka_config *c =
		parse_good("video = { displays = (\n"
			   " { },\n"
			   " { device = \"/dev/video1\"; name = \"r\u00e9chts\"; x = -1920; y = 0; fps = 10; },\n"
			   " { source = \"card\"; },\n"
			   " { source = \"card\"; width = 640; height = 480; preset = \"fast\"; } );\n"
			   " device = \"/dev/video2\"; fps = 25; format = \"YUYV\"; };");

	(void)state;
	assert_int_equal(c->n_displays, 4);
	assert_string_equal(c->displays[0].video.device, "/dev/video2");
	assert_string_equal(c->displays[0].name, "HDMI-1");
	assert_int_equal(c->displays[0].video.fps, 25);
	assert_false(c->displays[0].placed);
	assert_string_equal(c->displays[1].video.device, "/dev/video1");
	assert_int_equal(c->displays[1].video.fps, 10);
	assert_int_equal(c->displays[1].video.format, KA_PIX_YUYV);
	assert_true(c->displays[1].placed);
	assert_int_equal(c->displays[1].x, -1920);
	assert_int_equal(c->displays[1].y, 0);
	assert_int_equal(c->displays[2].video.source, KA_SOURCE_CARD);
	assert_int_equal(c->displays[2].video.width, 1280);
	assert_int_equal(c->displays[3].video.width, 640);
	assert_string_equal(c->displays[3].video.preset, "fast");
	assert_string_equal(c->displays[3].name, "HDMI-4");
	assert_string_equal(c->displays[2].video.preset, "ultrafast");
	ka_config_free(c);
}

static void test_errors_in_displays_name_their_line(void **state)
{
	(void)state;
	expect_error("video = { displays = ( {}, {}, {}, {}, {} ); };", "test.cfg:1:", "at most 4");
	expect_error("video = { displays = 2; };", "test.cfg:1:", "must be a list of groups");
	expect_error("video = { displays = ( \"/dev/video1\" ); };", "test.cfg:1:", "must be a group");
	expect_error("video = { displays = (\n{ },\n{ } ); };", "test.cfg:3:", "the same device, /dev/video0");
	expect_error("video = { displays = (\n{ device = \"/dev/null\"; },\n{ device = \"/dev/../dev/null\"; } ); };",
		     "test.cfg:3:", "the same device");
	expect_error("video = { displays = ( { },\n { devise = \"x\"; } ); };",
		     "test.cfg:2:", "did you mean 'device'?");
	expect_error("video = { displays = ( { displays = ( ); } ); };", "test.cfg:1:", "unknown key 'displays'");
	expect_error("video = { displays = ( { },\n { device = \"/dev/video1\"; x = 5; } ); };",
		     "test.cfg:2:", "'x' and 'y' go together");
	expect_error("video = { displays = ( {\n x = 32768; y = 0; } ); };", "test.cfg:2:", "must be -32767 to 32767");
	expect_error("video = { displays = ( {\n x = \"left\"; y = 0; } ); };", "test.cfg:2:", "whole number");
	expect_error("video = { displays = ( {\n name = \"\"; } ); };", "test.cfg:2:", "1 to 31");
	expect_error("video = { displays = (\n{ name = \"a\\nb\"; } ); };", "test.cfg:2:", "plain text");
	expect_error("video = { displays = (\n{ name = \"\\xff\"; } ); };", "test.cfg:2:", "plain text");
	expect_error("video = { displays = ( { },\n { source = \"card\"; width = 640; } ); };",
		     "test.cfg:2:", "go together");
	expect_error("video = { displays = ( { },\n { source = \"card\"; width = 16; height = 16; } ); };",
		     "test.cfg:2:", "at least");
	expect_error("video = { displays = ( { },\n { source = \"card\";\nedid_modes = \"5x5\"; } ); };",
		     "test.cfg:3:", "5x5");
	/* Who names a device and forgets it in the list loses it. */
	expect_error("video = {\ndevice = \"/dev/video0\"; displays = ( { device = \"/dev/video1\"; } ); };",
		     "test.cfg:2:", "names all displays");
	ka_config_free(parse_good("video = { displays = ( { device = \"/dev/video1\"; } ); };"));
}

#define PEER(address)                                                                                                  \
	"rustdesk = { serve = {\npeers = ( { id = \"kvm-two\";\n address = \"" address "\";\n key = \"" KEY            \
	"\"; } ); }; };"

static void test_addresses_are_checked(void **state)
{
	static const char *const bad_hosts[] = {
		"kvm.example.com:",
		"kvm.example.com:0",
		"kvm.example.com:65536",
		"kvm.example.com:x",
		":21117",
		"[::1",
		"[kvm]:21117",
		"two words:1",
		"10.0.0:21117",
		"-x:1",
		"a..b:1",
		"http://kvm:21117",
		"10.0.0.1.2:5",
		"kvm/x",
	};

	(void)state;
	expect_error(PEER("kvm-two.example.com:21117"), "test.cfg:3:", "IP address and port");
	expect_error(PEER("10.0.0.1:0"), "test.cfg:3:", "IP address and port");
	expect_error(PEER("10.0.0:21117"), "test.cfg:3:", "\"10.0.0:21117\"");
	expect_error(PEER("10.0.0.1:21117x"), "test.cfg:3:", "IP address and port");
	for (size_t i = 0; i < KA_ARRAY_LEN(bad_hosts); i++) {
		char text[256];

		snprintf(text, sizeof(text), "rustdesk = { serve = {\n\npublic_address = \"%s\"; }; };", bad_hosts[i]);
		expect_error(text, "test.cfg:3:", "host:port");
		snprintf(text, sizeof(text), "rustdesk = {\nserver = \"good, %s\"; };", bad_hosts[i]);
		expect_error(text, "test.cfg:2:", "'server'");
		snprintf(text, sizeof(text), "rustdesk = {\nrelay = \"%s\"; };", bad_hosts[i]);
		expect_error(text, "test.cfg:2:", "host or host:port");
	}
	expect_error("rustdesk = { server = \"a,\"; };", "test.cfg:1:", "ends with a comma");
	expect_error("rustdesk = { server = \"a,,b\"; };", "test.cfg:1:", "empty");
	expect_error("rustdesk = { server = \"a b\"; };", "test.cfg:1:", "commas");
	expect_error("rustdesk = { serve = { address = \"10.0.0.1:5\"; }; };", "test.cfg:1:", "without a port");
	expect_error("rustdesk = { direct = { address = \"10.0.0.1, eth0\"; }; };", "test.cfg:1:", "\"eth0\"");
	ka_config_free(parse_good(PEER("10.0.0.1")));
	ka_config_free(parse_good(PEER("[2001:db8::1]:5")));
	ka_config_free(parse_good("rustdesk = { server = \" a , b:5, [2001:db8::1]:5,::1 \"; relay = \"10.0.0.1\"; "
				  "direct = { address = \"10.0.0.1,::1\"; }; serve = { address = \"::\"; "
				  "public_address = \"kvm-1_x.example.com:21117\"; }; };"));
}

static char *temp_file(const char *text, mode_t mode)
{
	static char path[] = "/tmp/ka-config-XXXXXX";
	int fd;

	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	fchmod(fd, mode);
	close(fd);
	return path;
}

static void test_passwords_and_what_they_open(void **state)
{
	struct ka_config *c =
		parse_good("rustdesk = { password_hash = \"" HASH "\"; permissions = { audio = false; tunnel = "
			   "true; };\naccess = ( { name = \"guest\"; password_hash = \"" HASH
			   "\"; view_only = true; tunnel = true; recording = false; }, { name = \"lab\"; "
			   "password_hash = \"" HASH "\"; } ); };");
	uint32_t normal = KA_RD_MAY_ALL & ~(uint32_t)(KA_RD_MAY_TERMINAL | KA_RD_MAY_TUNNEL);

	(void)state;
	assert_true(c->password_set);
	assert_non_null(c->rustdesk.password_h1);
	assert_int_equal(c->rustdesk.password_h1[0], 0x32);
	assert_int_equal(c->rustdesk.password_h1[31], 0xdd);
	assert_int_equal(c->rustdesk.permissions, (normal & ~(uint32_t)KA_RD_MAY_AUDIO) | KA_RD_MAY_TUNNEL);
	assert_int_equal(c->rustdesk.n_access, 2);
	assert_string_equal(c->rustdesk.access[0].name, "guest");
	assert_int_equal(c->rustdesk.access[0].permissions, KA_RD_MAY_AUDIO);
	assert_int_equal(c->rustdesk.access[1].permissions, normal);
	assert_memory_equal(c->rustdesk.access[1].h1, c->rustdesk.password_h1, 32);
	ka_config_free(c);
}

static void test_text_of_the_password_is_forgotten_and_only_that(void **state)
{
	struct ka_config *c = parse_good("rustdesk = { password = \"s3cret\"; username = \"s3cret\"; };");

	(void)state;
	assert_null(c->rustdesk.password_h1);
	ka_config_forget_password(c);
	for (int i = 0; i < 6; i++)
		assert_int_equal(c->rustdesk.password[i], 0);
	assert_string_equal(c->rustdesk.username, "s3cret");
	assert_true(c->password_set);
	ka_config_free(c);
}

static void test_password_in_a_world_readable_file_is_refused(void **state)
{
	struct ka_errbuf eb = {""};
	struct ka_config *c;
	char *path = temp_file("rustdesk = { password = \"s3cret\"; };", 0644);

	(void)state;
	assert_int_equal(ka_config_load(&c, path, &eb), -KA_E_CONFIG);
	assert_non_null(strstr(eb.text, "chmod 0640"));
	assert_null(strstr(eb.text, "s3cret"));
	chmod(path, 0640);
	assert_int_equal(ka_config_load(&c, path, &eb), 0);
	ka_config_free(c);
	unlink(path);
}

static void write_with_mode(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

/* The main file includes another, both with these modes; NULL = good, else what the error says of which file. */
static void check_modes(mode_t main_mode, const char *main_text, mode_t other_mode, const char *other_text,
			const char *where, const char *what)
{
	char folder[] = "/tmp/ka-include-XXXXXX";
	struct ka_errbuf eb = {""};
	struct ka_config *c;
	char main_path[64];
	char other_path[64];
	char text[256];
	int ret;

	assert_non_null(mkdtemp(folder));
	snprintf(main_path, sizeof(main_path), "%s/main.cfg", folder);
	snprintf(other_path, sizeof(other_path), "%s/other.cfg", folder);
	snprintf(text, sizeof(text), "rustdesk = { %s\n@include \"%s\"\n};\n", main_text, other_path);
	write_with_mode(main_path, text, main_mode);
	write_with_mode(other_path, other_text, other_mode);
	ret = ka_config_load(&c, main_path, &eb);
	if (where) {
		assert_int_equal(ret, -KA_E_CONFIG);
		assert_non_null(strstr(eb.text, where));
		assert_non_null(strstr(eb.text, what));
		assert_null(strstr(eb.text, "s3cret"));
	} else {
		assert_int_equal(ret, 0);
		ka_config_free(c);
	}
	unlink(main_path);
	unlink(other_path);
	rmdir(folder);
}

static void test_every_file_that_was_read_is_checked(void **state)
{
	static const char secret[] = "\npassword = \"s3cret\";";
	static const char hash[] = "access = (\n{ name = \"x\"; password_hash = \"" HASH "\"; });";
	static const char totp[] = "totp_secret = \"GEZDGNBVGY3TQOJQ\";";
	static const char plain[] = "hostname = \"x\";";

	(void)state;
	check_modes(0640, "", 0644, secret, "other.cfg:2: 'password' is a secret", "other.cfg");
	check_modes(0640, "", 0604, hash, "other.cfg:2: 'password_hash' is a secret", "chmod 0640 /");
	check_modes(0640, "", 0644, totp, "other.cfg:1: 'totp_secret' is a secret", "everybody may read");
	check_modes(0644, secret, 0640, plain, "main.cfg:2: 'password' is a secret", "main.cfg");
	/* What holds no secret may be read by everybody, and nothing may be written. */
	check_modes(0644, "", 0640, secret, NULL, NULL);
	check_modes(0640, secret, 0644, plain, NULL, NULL);
	check_modes(0640, "", 0644, "password = \"\";", NULL, NULL);
	check_modes(0640, "", 0642, plain, "everybody may change /", "other.cfg: chmod o-w");
	check_modes(0642, "", 0640, plain, "everybody may change /", "main.cfg: chmod o-w");
	/* The line of an error in there is the line in there. */
	check_modes(0640, "", 0640, "\n\nhostname = };", "other.cfg:3:", "syntax");
	check_modes(0640, "", 0640, "\n\nhostnam = \"x\";", "other.cfg:3:", "hostname");
}

static void test_missing_and_binary_files_are_named(void **state)
{
	struct ka_errbuf eb = {""};
	struct ka_config *c;
	char *path;
	int fd;

	(void)state;
	assert_true(ka_config_load(&c, "/nonexistent/kvmagent.cfg", &eb) < 0);
	assert_non_null(strstr(eb.text, "/nonexistent/kvmagent.cfg"));
	path = temp_file("video = { };", 0600);
	fd = open(path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "\0x", 2), 2);
	close(fd);
	assert_int_equal(ka_config_load(&c, path, &eb), -KA_E_CONFIG);
	assert_non_null(strstr(eb.text, "not a text file"));
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_file_gives_defaults),
		cmocka_unit_test(test_values_of_every_kind_arrive),
		cmocka_unit_test(test_errors_name_file_line_and_remedy),
		cmocka_unit_test(test_whole_checks),
		cmocka_unit_test(test_one_display_is_the_section_itself),
		cmocka_unit_test(test_displays_take_what_they_do_not_say_from_the_section),
		cmocka_unit_test(test_errors_in_displays_name_their_line),
		cmocka_unit_test(test_passwords_and_what_they_open),
		cmocka_unit_test(test_text_of_the_password_is_forgotten_and_only_that),
		cmocka_unit_test(test_password_in_a_world_readable_file_is_refused),
		cmocka_unit_test(test_addresses_are_checked),
		cmocka_unit_test(test_every_file_that_was_read_is_checked),
		cmocka_unit_test(test_missing_and_binary_files_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
