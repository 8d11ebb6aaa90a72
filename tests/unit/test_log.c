/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

#define WRITERS 3

/* The log goes into a pipe; its reading end is the state. */
static int divert(void **state)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	ka_log_init(fds[1], KA_LOG_INFO);
	int *keep = malloc(sizeof(fds));

	if (!keep)
		return -1;
	memcpy(keep, fds, sizeof(fds));
	*state = keep;
	return 0;
}

static int restore(void **state)
{
	int *fds = *state;

	ka_log_init(STDERR_FILENO, KA_LOG_INFO);
	close(fds[0]);
	close(fds[1]);
	free(fds);
	return 0;
}

static const char *logged(void **state, char *dst, size_t size)
{
	ssize_t n = read(*(int *)*state, dst, size - 1);

	dst[n > 0 ? n : 0] = '\0';
	return dst;
}

#define assert_logged(state, want)                                                                                     \
	do {                                                                                                           \
		char line_[2048];                                                                                      \
		assert_string_equal(logged(state, line_, sizeof(line_)), want);                                        \
	} while (0)

static const char *escape(char *dst, size_t size, const char *src)
{
	return ka_log_escape(dst, size, src, strlen(src));
}

static void test_escape_disarms_hostile_text(void **state)
{
	static const char *const cases[][2] = {
		{"a\nb\r\tc", "a\\x0ab\\x0d\\x09c"},
		{"\x1b[31mred", "\\x1b[31mred"},
		{"say \"hi\" \\n", "say \\x22hi\\x22 \\x5cn"},
		{"\x7f", "\\x7f"},
		{"\xc2\x85", "\\xc2\\x85"},		      /* C1: next line */
		{"\xc2\x9b[2J", "\\xc2\\x9b[2J"},	      /* C1: control sequence introducer */
		{"\xe2\x80\xae", "\\xe2\\x80\\xae"},	      /* right-to-left override */
		{"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},	      /* isolate */
		{"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},	      /* line separator */
		{"\xe2\x80\x8b", "\\xe2\\x80\\x8b"},	      /* zero width space */
		{"\xe2\x80\x8f", "\\xe2\\x80\\x8f"},	      /* right-to-left mark */
		{"\xd8\x9c", "\\xd8\\x9c"},		      /* Arabic letter mark */
		{"\xc2\xad", "\\xc2\\xad"},		      /* soft hyphen */
		{"\xef\xbb\xbf", "\\xef\\xbb\\xbf"},	      /* byte order mark */
		{"\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"}, /* tag */
		{"\xff\xfe", "\\xff\\xfe"},
		{"\xc3", "\\xc3"},		     /* cut off */
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* surrogate */
		{"\xc0\xaf", "\\xc0\\xaf"},	     /* overlong slash */
		{"J\xc3\xb6rg \xe6\x97\xa5 \xf0\x9f\x98\x80", "J\xc3\xb6rg \xe6\x97\xa5 \xf0\x9f\x98\x80"},
		{"%s%n", "%s%n"},
	};
	char out[128];

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(cases); i++)
		assert_string_equal(escape(out, sizeof(out), cases[i][0]), cases[i][1]);
	assert_string_equal(ka_log_escape(out, sizeof(out), "a\0b", 3), "a\\x00b");
}

static void test_escape_never_writes_past_its_size(void **state)
{
	static const char src[] = "a\n\xc3\xb6\xff\xf0\x9f\x98\x80z";

	(void)state;
	for (size_t size = 0; size < 40; size++) {
		char *exact = malloc(size ? size : 1);

		assert_non_null(exact);
		ka_log_escape(exact, size, src, sizeof(src) - 1);
		if (size) {
			size_t len = strlen(exact);

			assert_true(len < size);
			/* Whole escapes and whole characters only. */
			assert_true(!len || exact[len - 1] != '\\');
			assert_memory_equal(exact, "a\\x0a\xc3\xb6\\xff\xf0\x9f\x98\x80z", len);
			assert_true(len == 0 || len == 1 || len == 5 || len == 7 || len == 11 || len == 15 ||
				    len == 16);
		}
		free(exact);
	}
}

static void test_line_has_its_parts(void **state)
{
	ka_log(INFO, "v4l2", "streaming", "w=%u h=%u", 1920u, 1080u);
	assert_logged(state, "<6>v4l2: streaming w=1920 h=1080\n");
	ka_log(ERROR, "v4l2", "gone", "");
	assert_logged(state, "<3>v4l2: gone\n");
	ka_log(WARN, "hid", "slow", "n=%d", 1);
	assert_logged(state, "<4>hid: slow n=1\n");
}

static void test_long_line_is_cut_at_1_kib_and_ends(void **state)
{
	char text[3000];
	char line[4096];

	memset(text, 'x', sizeof(text) - 1);
	for (size_t len = 990; len < 1030; len++) {
		text[len] = '\0';
		ka_log(INFO, "c", "e", "%s", text);
		text[len] = 'x';
		logged(state, line, sizeof(line));
		assert_true(strlen(line) <= 1024);
		assert_int_equal(line[strlen(line) - 1], '\n');
		assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	}
	text[sizeof(text) - 1] = '\0';
	ka_log(INFO, text, text, "%s", text);
	logged(state, line, sizeof(line));
	assert_true(strlen(line) <= 1024);
	assert_int_equal(line[strlen(line) - 1], '\n');
}

static int evaluated(int *count)
{
	return ++*count;
}

static void test_levels_of_all_and_of_one_component(void **state)
{
	int count = 0;

	ka_log(DEBUG, "quiet", "e", "%d", evaluated(&count));
	assert_int_equal(count, 0); /* not even its arguments */
	assert_logged(state, "");
	assert_int_equal(ka_log_set_level("loud", KA_LOG_TRACE), 0);
	ka_log(TRACE, "loud", "e", "");
	assert_logged(state, "<7>loud: e\n");
	ka_log(TRACE, "quiet", "e", "");
	assert_logged(state, "");
	assert_int_equal(ka_log_set_level("loud", KA_LOG_ERROR), 0);
	ka_log(WARN, "loud", "e", "");
	assert_logged(state, "");
	assert_int_equal(ka_log_set_level(NULL, KA_LOG_DEBUG), 0);
	ka_log(DEBUG, "quiet", "e", "");
	assert_logged(state, "<7>quiet: e\n");
	assert_false(ka_log_enabled(KA_LOG_WARN, "loud"));
	assert_true(ka_log_enabled(KA_LOG_ERROR, "loud"));
}

static void test_component_names_that_do_not_fit_are_refused(void **state)
{
	(void)state;
	/* Cut, it would match nothing or somebody else. */
	assert_int_equal(ka_log_set_level("a-name-of-16-byt", KA_LOG_TRACE), -EINVAL);
	assert_int_equal(ka_log_set_level("a-name-of-15-by", KA_LOG_TRACE), 0);
	assert_true(ka_log_enabled(KA_LOG_TRACE, "a-name-of-15-by"));
	assert_false(ka_log_enabled(KA_LOG_TRACE, "a-name-of-16-byt"));
}

static void test_places_for_components_are_bounded(void **state)
{
	char name[16];
	int taken = 0;
	int ret = 0;

	(void)state;
	for (int i = 0; i < 40 && !ret; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		ret = ka_log_set_level(name, KA_LOG_TRACE);
		taken += !ret;
	}
	assert_int_equal(ret, -ENOSPC);
	assert_true(taken <= 16);
	/* Those that have a place can still change. */
	assert_int_equal(ka_log_set_level("c0", KA_LOG_ERROR), 0);
	assert_false(ka_log_enabled(KA_LOG_WARN, "c0"));
}

static void test_words_for_levels(void **state)
{
	static const char *const words[] = {"error", "warn", "info", "debug", "trace"};
	enum ka_log_level level = KA_LOG_WARN;

	(void)state;
	assert_int_equal(ka_log_parse_level("", &level), -EINVAL);
	assert_int_equal(ka_log_parse_level("INFO", &level), -EINVAL);
	assert_int_equal(ka_log_parse_level("info ", &level), -EINVAL);
	assert_int_equal(level, KA_LOG_WARN);
	for (size_t i = 0; i < KA_ARRAY_LEN(words); i++) {
		assert_int_equal(ka_log_parse_level(words[i], &level), 0);
		assert_int_equal(level, i);
	}
}

static void test_gate_lets_one_pass_and_counts_the_rest(void **state)
{
	struct ka_log_gate gate = {0};
	unsigned int left_out = 99;
	int64_t again;

	(void)state;
	assert_true(ka_log_gate_pass(&gate, KA_SEC(3600), &left_out));
	assert_int_equal(left_out, 0);
	for (int i = 0; i < 5; i++)
		assert_false(ka_log_gate_pass(&gate, KA_SEC(3600), &left_out));
	/* The hour has passed. */
	again = ka_clock_us() - 1;
	atomic_store(&gate.next_us, again);
	assert_true(ka_log_gate_pass(&gate, KA_SEC(3600), &left_out));
	assert_int_equal(left_out, 5);
	assert_false(ka_log_gate_pass(&gate, KA_SEC(3600), &left_out));
}

static void test_burst_passes_so_many_at_once(void **state)
{
	struct ka_log_gate gate = {0};
	unsigned int left_out = 99;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(ka_log_gate_burst(&gate, 3, KA_SEC(3600), &left_out));
		assert_int_equal(left_out, 0);
	}
	for (int i = 0; i < 5; i++)
		assert_false(ka_log_gate_burst(&gate, 3, KA_SEC(3600), &left_out));
	/* An hour has passed: one more. */
	atomic_fetch_sub(&gate.next_us, KA_SEC(3600));
	assert_true(ka_log_gate_burst(&gate, 3, KA_SEC(3600), &left_out));
	assert_int_equal(left_out, 5);
	assert_false(ka_log_gate_burst(&gate, 3, KA_SEC(3600), &left_out));
	/* A quiet day does not save up for more than the burst. */
	atomic_store(&gate.next_us, ka_clock_us() - KA_SEC(86400));
	for (int i = 0; i < 3; i++)
		assert_true(ka_log_gate_burst(&gate, 3, KA_SEC(3600), &left_out));
	assert_false(ka_log_gate_burst(&gate, 3, KA_SEC(3600), &left_out));
}

static void shout(int i)
{
	ka_log_burst(INFO, 2, KA_SEC(3600), "gate", "knock", "i=%d", i);
}

static void test_burst_says_nothing_of_nothing_left_out(void **state)
{
	for (int i = 0; i < 10; i++)
		shout(i);
	assert_logged(state, "<6>gate: knock i=0\n<6>gate: knock i=1\n");
}

static void say(int i)
{
	ka_log_every(INFO, KA_SEC(3600), "gate", "knock", "i=%d", i);
}

static void test_every_writes_once_a_period_from_one_place(void **state)
{
	for (int i = 0; i < 10; i++)
		say(i);
	assert_logged(state, "<6>gate: knock i=0 left_out=0\n");
}

static void test_errno_survives_and_a_closed_sink_harms_nobody(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	ka_log_init(fd, KA_LOG_INFO);
	errno = EXDEV;
	ka_log(INFO, "c", "e", "%s", "text");
	assert_int_equal(errno, EXDEV);
	close(fd);
	ka_log(INFO, "c", "e", "%s", "text");
	assert_int_equal(errno, EXDEV);
}

static void test_full_pipe_loses_lines_but_never_waits(void **state)
{
	char all[256 * 1024];
	int fds[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	ka_log_init(fds[1], KA_LOG_INFO);
	/* A pipe holds 64 KiB. */
	for (int i = 0; i < 3000; i++)
		ka_log(INFO, "c", "e", "%060d", i);
	n = read(fds[0], all, sizeof(all));
	assert_true(n > 0);
	ka_log(INFO, "c", "again", "%s", "");
	n = read(fds[0], all, sizeof(all) - 1);
	assert_true(n > 0);
	all[n] = '\0';
	assert_non_null(strstr(all, "<4>log: lost lines="));
	assert_non_null(strstr(all, "c: again"));
	close(fds[0]);
	close(fds[1]);
}

static void *write_lines(void *arg)
{
	for (int i = 0; i < 200; i++)
		ka_log(INFO, "thread", "line", "n=%d i=%03d", *(int *)arg, i);
	return NULL;
}

static void test_lines_of_several_threads_do_not_mix(void **state)
{
	int numbers[WRITERS];
	pthread_t threads[WRITERS];
	char all[32768];
	int lines = 0;

	for (int i = 0; i < WRITERS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	logged(state, all, sizeof(all));
	for (char *line = all, *end; (end = strchr(line, '\n')); line = end + 1) {
		int n;
		int i;
		int used = 0;

		/* Of the sinks that took nothing before. */
		if (!strncmp(line, "<4>log: lost", 12))
			continue;
		assert_int_equal(sscanf(line, "<6>thread: line n=%d i=%d%n", &n, &i, &used), 2);
		assert_ptr_equal(line + used, end);
		lines++;
	}
	assert_int_equal(lines, WRITERS * 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape_disarms_hostile_text),
		cmocka_unit_test(test_escape_never_writes_past_its_size),
		cmocka_unit_test_setup_teardown(test_line_has_its_parts, divert, restore),
		cmocka_unit_test_setup_teardown(test_long_line_is_cut_at_1_kib_and_ends, divert, restore),
		cmocka_unit_test_setup_teardown(test_levels_of_all_and_of_one_component, divert, restore),
		cmocka_unit_test(test_words_for_levels),
		cmocka_unit_test(test_gate_lets_one_pass_and_counts_the_rest),
		cmocka_unit_test(test_burst_passes_so_many_at_once),
		cmocka_unit_test_setup_teardown(test_burst_says_nothing_of_nothing_left_out, divert, restore),
		cmocka_unit_test_setup_teardown(test_every_writes_once_a_period_from_one_place, divert, restore),
		cmocka_unit_test_setup_teardown(test_errno_survives_and_a_closed_sink_harms_nobody, divert, restore),
		cmocka_unit_test_setup_teardown(test_full_pipe_loses_lines_but_never_waits, divert, restore),
		cmocka_unit_test_setup_teardown(test_lines_of_several_threads_do_not_mix, divert, restore),
		cmocka_unit_test(test_component_names_that_do_not_fit_are_refused),
		cmocka_unit_test(test_places_for_components_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
