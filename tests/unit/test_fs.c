/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"

/* Every test runs in an empty folder of its own. */
static int enter(void **state)
{
	char dir[] = "/tmp/ka-fs-XXXXXX";

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return -1;
	*state = strdup(dir);
	return *state ? 0 : -1;
}

static int leave(void **state)
{
	char command[PATH_MAX + 16];
	int ret;

	snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
	ret = chdir("/");
	ret |= system(command);
	free(*state);
	return ret ? -1 : 0;
}

static void assert_content(const char *path, const char *want)
{
	struct ka_bytes b;

	ka_bytes_init(&b, 100000);
	assert_int_equal(ka_fs_read(path, &b), 0);
	assert_int_equal(b.len, strlen(want));
	assert_string_equal((char *)b.data, want);
	ka_bytes_fini(&b);
}

static void assert_only_file(const char *path)
{
	char temp[PATH_MAX];
	struct stat st;

	snprintf(temp, sizeof(temp), "%s.new", path);
	assert_int_equal(stat(temp, &st), -1);
	assert_int_equal(errno, ENOENT);
}

static void test_failed_write_leaves_the_old_file_and_no_litter(void **state)
{
	struct rlimit old;
	struct rlimit small;
	char big[8192];
	int ret;

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(ka_fs_write_atomic("id", "old", 3, 0600), 0);
	/* The disk is full after 1000 bytes, so to speak: the first write is short, the second fails. */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 1000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	ret = ka_fs_write_atomic("id", big, sizeof(big), 0600);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(ret, -EFBIG);
	assert_content("id", "old");
	assert_only_file("id");
}

static void test_write_to_places_that_cannot_be_written(void **state)
{
	char longest[PATH_MAX + 10];

	(void)state;
	assert_int_equal(ka_fs_write_atomic("none/id", "x", 1, 0600), -ENOENT);
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(ka_fs_write_atomic("folder", "x", 1, 0600), -EISDIR);
	assert_only_file("folder");
	assert_int_equal(ka_fs_write_atomic("id", "x", 1, 0600), 0);
	assert_int_equal(ka_fs_write_atomic("id/id", "x", 1, 0600), -ENOTDIR);
	/* Something that is not ours to remove stands in the way. */
	assert_int_equal(mkdir("id.new", 0700), 0);
	assert_true(ka_fs_write_atomic("id", "y", 1, 0600) < 0);
	assert_content("id", "x");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(ka_fs_write_atomic(longest, "x", 1, 0600), -ENAMETOOLONG);
	assert_int_equal(ka_fs_write_atomic("/proc/version", "x", 1, 0600) < 0, 1);
}

static void test_write_replaces_with_the_mode_asked_for(void **state)
{
	struct stat st;
	mode_t mask = umask(022);

	(void)state;
	assert_int_equal(ka_fs_write_atomic("id", "first", 5, 0644), 0);
	assert_int_equal(ka_fs_write_atomic("./id", "second", 6, 0600), 0);
	umask(mask);
	assert_content("id", "second");
	assert_int_equal(stat("id", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_only_file("id");
	assert_int_equal(ka_fs_write_atomic("id", "", 0, 0600), 0);
	assert_content("id", "");
}

static void test_leftover_or_trap_beside_the_file_is_not_followed(void **state)
{
	(void)state;
	assert_int_equal(ka_fs_write_atomic("victim", "precious", 8, 0600), 0);
	assert_int_equal(symlink("victim", "id.new"), 0);
	assert_int_equal(ka_fs_write_atomic("id", "mine", 4, 0600), 0);
	assert_content("victim", "precious");
	assert_content("id", "mine");
}

static void test_read_stops_at_the_maximum(void **state)
{
	struct ka_bytes b;

	(void)state;
	assert_int_equal(ka_fs_write_atomic("ten", "0123456789", 10, 0600), 0);
	ka_bytes_init(&b, 10);
	assert_int_equal(ka_fs_read("ten", &b), -KA_E_TOO_BIG); /* no place for the NUL */
	ka_bytes_fini(&b);
	ka_bytes_init(&b, 11);
	assert_int_equal(ka_fs_read("ten", &b), 0);
	assert_int_equal(b.len, 10);
	assert_string_equal((char *)b.data, "0123456789");
	ka_bytes_fini(&b);
	/* A file without an end. */
	ka_bytes_init(&b, 70000);
	assert_int_equal(ka_fs_read("/dev/zero", &b), -KA_E_TOO_BIG);
	assert_true(b.len <= 70000);
	ka_bytes_fini(&b);
}

static void test_read_of_what_is_no_file(void **state)
{
	struct ka_bytes b;

	(void)state;
	ka_bytes_init(&b, 100);
	assert_int_equal(ka_fs_read("none", &b), -ENOENT);
	assert_int_equal(ka_fs_read("/", &b), -EISDIR);
	assert_int_equal(ka_fs_read("/dev/null", &b), 0);
	assert_int_equal(b.len, 0);
	assert_string_equal((char *)b.data, "");
	ka_bytes_fini(&b);
}

static void test_attributes_are_one_line(void **state)
{
	char text[8];

	(void)state;
	assert_int_equal(ka_fs_write_attr("none", "1"), -ENOENT);
	assert_int_equal(ka_fs_read_attr("none", text, sizeof(text)), -ENOENT);
	assert_int_equal(ka_fs_write_atomic("attr", "0x1d6b\nmore\n", 12, 0600), 0);
	assert_int_equal(ka_fs_read_attr("attr", text, sizeof(text)), 0);
	assert_string_equal(text, "0x1d6b");
	assert_int_equal(ka_fs_read_attr("attr", text, 4), 0);
	assert_string_equal(text, "0x1");
	assert_int_equal(ka_fs_read_attr("/dev/null", text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(ka_fs_write_attr("attr", "new"), 0);
	assert_int_equal(ka_fs_write_attr("/dev/full", "new"), -ENOSPC);
}

static void test_mkdirs_makes_parents(void **state)
{
	struct stat st;
	mode_t mask = umask(0);

	(void)state;
	assert_int_equal(ka_fs_mkdirs("a/b/c", 0700), 0);
	assert_int_equal(ka_fs_mkdirs("a/b/c", 0700), 0);
	assert_int_equal(ka_fs_mkdirs("d//e/", 0700), 0);
	umask(mask);
	assert_int_equal(stat("a/b", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_int_equal(stat("a/b/c", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat("d/e", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(ka_fs_mkdirs("/", 0700), 0);
}

static void test_mkdirs_refuses_what_is_no_folder(void **state)
{
	char longest[PATH_MAX + 10];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(ka_fs_mkdirs("", 0700), -ENOENT);
	assert_int_equal(ka_fs_mkdirs(longest, 0700), -ENAMETOOLONG);
	assert_int_equal(ka_fs_write_atomic("file", "", 0, 0600), 0);
	assert_int_equal(ka_fs_mkdirs("file", 0700), -ENOTDIR);
	assert_int_equal(ka_fs_mkdirs("file/a", 0700), -ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_failed_write_leaves_the_old_file_and_no_litter, enter, leave),
		cmocka_unit_test_setup_teardown(test_write_to_places_that_cannot_be_written, enter, leave),
		cmocka_unit_test_setup_teardown(test_write_replaces_with_the_mode_asked_for, enter, leave),
		cmocka_unit_test_setup_teardown(test_leftover_or_trap_beside_the_file_is_not_followed, enter, leave),
		cmocka_unit_test_setup_teardown(test_read_stops_at_the_maximum, enter, leave),
		cmocka_unit_test_setup_teardown(test_read_of_what_is_no_file, enter, leave),
		cmocka_unit_test_setup_teardown(test_attributes_are_one_line, enter, leave),
		cmocka_unit_test_setup_teardown(test_mkdirs_makes_parents, enter, leave),
		cmocka_unit_test_setup_teardown(test_mkdirs_refuses_what_is_no_folder, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
