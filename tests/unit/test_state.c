/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "agent/state.h"
#include "base/fs.h"

struct fixture {
	char dir[32];
	char path[64];
	char copy[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	snprintf(f->dir, sizeof(f->dir), "/tmp/ka-state-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/identity", f->dir);
	snprintf(f->copy, sizeof(f->copy), "%s/identity.copy", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char damaged[96];

	snprintf(damaged, sizeof(damaged), "%s.damaged", f->path);
	unlink(damaged);
	snprintf(damaged, sizeof(damaged), "%s/nat", f->dir);
	unlink(damaged);
	unlink(f->path);
	unlink(f->copy);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void load_good(const struct fixture *f, const char *wanted, struct ka_rd_identity *id)
{
	struct ka_errbuf eb = {""};

	if (ka_state_load(id, f->dir, wanted, &eb) < 0)
		fail_msg("%s", eb.text);
}

static void test_nat_type_is_kept_and_damage_forgets_it(void **state)
{
	const char *const broken[] = {"",
				      "type = 3;\nserial = 3;\n",
				      "type = -1;\nserial = 3;\n",
				      "type = 2;\nserial = -1;\n",
				      "type = \"2\";\nserial = 3;\n",
				      "type = 2;\n",
				      "{"};
	const struct fixture *f = *state;
	struct ka_rd_nat nat = {1, 9};
	char path[64];

	ka_state_load_nat(&nat, f->dir);
	assert_int_equal(nat.type, 0);
	nat = (struct ka_rd_nat){.type = 2, .serial = 77};
	assert_int_equal(ka_state_save_nat(&nat, f->dir), 0);
	nat = (struct ka_rd_nat){0};
	ka_state_load_nat(&nat, f->dir);
	assert_int_equal(nat.type, 2);
	assert_int_equal(nat.serial, 77);
	assert_true(ka_state_save_nat(&nat, "/nonexistent") < 0);
	snprintf(path, sizeof(path), "%s/nat", f->dir);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		assert_int_equal(ka_fs_write_atomic(path, broken[i], strlen(broken[i]), 0600), 0);
		ka_state_load_nat(&nat, f->dir);
		assert_int_equal(nat.type, 0);
		assert_int_equal(nat.serial, 0);
	}
}

static void test_new_identity_is_kept(void **state)
{
	const struct fixture *f = *state;
	struct ka_rd_identity a;
	struct ka_rd_identity b;
	struct stat st;

	load_good(f, "", &a);
	load_good(f, "", &b);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(strlen(a.id), 9);
	assert_int_equal(strlen(a.salt), KA_RD_SALT_LEN);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_wanted_id_changes_the_id_alone(void **state)
{
	const struct fixture *f = *state;
	struct ka_rd_identity a;
	struct ka_rd_identity b;

	load_good(f, "", &a);
	load_good(f, "garage-kvm", &b);
	assert_string_equal(b.id, "garage-kvm");
	assert_memory_equal(a.sign_sk, b.sign_sk, 64);
	load_good(f, "", &b);
	assert_string_equal(b.id, "garage-kvm");
}

static void test_damaged_file_is_restored_from_the_copy(void **state)
{
	const struct fixture *f = *state;
	static const char *const bad[] = {"", "id = \"12", "id = \"123456789\";", "\xff\xfe"};
	struct ka_rd_identity a;
	struct ka_rd_identity b;

	load_good(f, "", &a);
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++) {
		assert_int_equal(ka_fs_write_atomic(f->path, bad[i], strlen(bad[i]), 0600), 0);
		load_good(f, "", &b);
		assert_memory_equal(&a, &b, sizeof(a));
	}
	unlink(f->path);
	load_good(f, "", &b);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void test_both_damaged_is_an_error_that_lasts(void **state)
{
	const struct fixture *f = *state;
	struct ka_errbuf eb = {""};
	struct ka_rd_identity a;

	load_good(f, "", &a);
	assert_int_equal(ka_fs_write_atomic(f->path, "x", 1, 0600), 0);
	assert_int_equal(ka_fs_write_atomic(f->copy, "x", 1, 0600), 0);
	for (int i = 0; i < 2; i++) {
		assert_true(ka_state_load(&a, f->dir, "", &eb) < 0);
		assert_non_null(strstr(eb.text, f->path));
	}
}

/* As on a full disk: files can be made, but nothing written into them. */
static void fill_disk(bool full)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = full ? 0 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static bool there_is_litter(const struct fixture *f)
{
	char path[96];

	snprintf(path, sizeof(path), "%s.new", f->path);
	return access(path, F_OK) == 0;
}

static void test_full_disk_makes_no_identity_that_is_gone_tomorrow(void **state)
{
	const struct fixture *f = *state;
	struct ka_errbuf eb = {""};
	struct ka_rd_identity a;
	struct ka_rd_identity b;

	fill_disk(true);
	assert_true(ka_state_load(&a, f->dir, "", &eb) < 0);
	fill_disk(false);
	assert_non_null(strstr(eb.text, f->path));
	assert_false(there_is_litter(f));
	load_good(f, "", &a);
	load_good(f, "", &b);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void test_full_disk_takes_the_good_file_whichever_it_is(void **state)
{
	const struct fixture *f = *state;
	struct ka_rd_identity a;
	struct ka_rd_identity b;

	load_good(f, "", &a);
	/* Nothing to write, the copy lost, the file lost, the file cut short: twice each, as a restart would. */
	for (int harm = 0; harm < 4; harm++) {
		if (harm == 1)
			assert_int_equal(unlink(f->copy), 0);
		else if (harm == 2)
			assert_int_equal(unlink(f->path), 0);
		else if (harm == 3)
			assert_int_equal(truncate(f->path, 40), 0);
		fill_disk(true);
		for (int i = 0; i < 2; i++) {
			load_good(f, "", &b);
			assert_memory_equal(&a, &b, sizeof(a));
		}
		fill_disk(false);
		assert_false(there_is_litter(f));
		/* Room again: both are good again. */
		load_good(f, "", &b);
		assert_memory_equal(&a, &b, sizeof(a));
		assert_int_equal(access(f->path, F_OK), 0);
		assert_int_equal(access(f->copy, F_OK), 0);
	}
}

static void test_starting_writes_nothing_when_all_is_well(void **state)
{
	const struct fixture *f = *state;
	struct ka_rd_identity a;
	struct stat before[2];
	struct stat after[2];

	load_good(f, "", &a);
	assert_int_equal(stat(f->path, &before[0]), 0);
	assert_int_equal(stat(f->copy, &before[1]), 0);
	load_good(f, "", &a);
	assert_int_equal(stat(f->path, &after[0]), 0);
	assert_int_equal(stat(f->copy, &after[1]), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(before[i].st_ino, after[i].st_ino);
		assert_int_equal(before[i].st_mtim.tv_nsec, after[i].st_mtim.tv_nsec);
	}
}

static void test_unusable_folder_is_named(void **state)
{
	struct ka_errbuf eb = {""};
	struct ka_rd_identity a;

	(void)state;
	assert_true(ka_state_load(&a, "/proc/nope", "", &eb) < 0);
	assert_non_null(strstr(eb.text, "/proc/nope"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_full_disk_makes_no_identity_that_is_gone_tomorrow, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_full_disk_takes_the_good_file_whichever_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(test_starting_writes_nothing_when_all_is_well, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nat_type_is_kept_and_damage_forgets_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_new_identity_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wanted_id_changes_the_id_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_file_is_restored_from_the_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_both_damaged_is_an_error_that_lasts, setup, teardown),
		cmocka_unit_test(test_unusable_folder_is_named),
	};

	/* A write past the limit is an error code, not a signal. */
	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
