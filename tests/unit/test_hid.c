/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hid thread with the record backend: what goes in by the mailbox, what is written down. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "base/thread.h"
#include "hid/hid.h"

struct bench {
	char dir[64];
	char file[96];
	struct ka_hid_cfg cfg;
	struct ka_hid *hid;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	strncpy(b->dir, "/tmp/ka-hid-XXXXXX", sizeof(b->dir) - 1);
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->file, sizeof(b->file), "%s/record", b->dir);
	b->cfg = (struct ka_hid_cfg){
		.backend = KA_HID_RECORD, .record_file = b->file, .layout = "us", .type_interval_ms = 1};
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	unlink(b->file);
	rmdir(b->dir);
	free(b);
	return 0;
}

static void start(struct bench *b)
{
	struct ka_errbuf eb;

	assert_int_equal(ka_hid_new(&b->hid, &b->cfg, (struct ka_wake){0}, &eb), 0);
	assert_int_equal(ka_hid_start(b->hid), 0);
}

static void finish(struct bench *b)
{
	ka_hid_stop(b->hid);
	ka_hid_join(b->hid);
	ka_hid_free(b->hid);
	b->hid = NULL;
}

static void post_key(struct bench *b, uint32_t source, uint16_t usage, bool down)
{
	struct ka_input e = {.kind = KA_INPUT_KEY, .source = source, .key = {.usage = usage, .down = down}};

	ka_hid_post(b->hid, &e);
}

/* The data column of every line of one function, each followed by a blank. */
static void read_record(struct bench *b, const char *function, char *out, size_t size)
{
	struct ka_bytes all;
	char *save = NULL;

	ka_bytes_init(&all, 1 << 20);
	assert_int_equal(ka_fs_read(b->file, &all), 0);
	out[0] = '\0';
	for (char *line = strtok_r((char *)all.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		int64_t at_us;
		char name[16];
		char data[32];

		assert_int_equal(sscanf(line, "%" SCNd64 " %15s %31s", &at_us, name, data), 3);
		assert_true(at_us > 0);
		if (!strcmp(name, function)) {
			size_t len = strlen(out);

			assert_int_equal(ka_str_format(out + len, size - len, "%s ", data), 0);
		}
	}
	ka_bytes_fini(&all);
}

static void test_hid_with_bad_layout_is_refused(void **state)
{
	struct bench *b = *state;
	struct ka_errbuf eb = {.text = ""};

	b->cfg.layout = "no such";
	assert_int_equal(ka_hid_new(&b->hid, &b->cfg, (struct ka_wake){0}, &eb), -KA_E_CONFIG);
	assert_non_null(strstr(eb.text, "no such"));
}

static void test_hid_that_never_started_is_freed(void **state)
{
	struct bench *b = *state;
	struct ka_errbuf eb;
	struct ka_input text = {.kind = KA_INPUT_TEXT, .source = 1, .text = {.utf8 = strdup("left behind")}};
	struct ka_hid_state s;

	assert_int_equal(ka_hid_new(&b->hid, &b->cfg, (struct ka_wake){0}, &eb), 0);
	ka_hid_post(b->hid, &text);
	ka_hid_get_state(b->hid, &s);
	assert_int_equal(s.usb, KA_USB_NONE);
	finish(b);
	ka_hid_free(NULL);
}

static void test_hid_with_unwritable_record_says_why_and_goes_on(void **state)
{
	struct bench *b = *state;
	struct ka_hid_state s;

	b->cfg.record_file = "/nonexistent/record";
	start(b);
	post_key(b, 1, 0x04, true);
	ka_hid_stop(b->hid);
	ka_hid_join(b->hid);
	ka_hid_get_state(b->hid, &s);
	assert_int_equal(s.usb, KA_USB_NONE);
	assert_int_equal(s.cause, -ENOENT);
	assert_int_equal(s.reports, 0);
	assert_true(s.dropped >= 2);
	ka_hid_free(b->hid);
}

static void test_hid_stop_releases_what_is_held(void **state)
{
	struct bench *b = *state;
	struct ka_input button = {
		.kind = KA_INPUT_BUTTON, .source = 2, .button = {.mask = KA_BUTTON_RIGHT, .down = true}};
	struct ka_input media = {.kind = KA_INPUT_CONSUMER, .source = 2, .key = {.usage = 0xe2, .down = true}};
	char seen[512];
	struct stat st;

	start(b);
	post_key(b, 1, 0xe1, true);
	post_key(b, 1, 0x04, true);
	ka_hid_post(b->hid, &button);
	ka_hid_post(b->hid, &media);
	finish(b);
	read_record(b, "keyboard", seen, sizeof(seen));
	assert_string_equal(seen, "0200000000000000 0200040000000000 0000000000000000 ");
	read_record(b, "rel", seen, sizeof(seen));
	assert_string_equal(seen, "0200000000 0000000000 ");
	read_record(b, "control", seen, sizeof(seen));
	assert_string_equal(seen, "01e200 010000 ");
	assert_int_equal(stat(b->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

struct watch {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int wakes;
};

static void on_wake(void *arg)
{
	struct watch *w = arg;

	pthread_mutex_lock(&w->lock);
	w->wakes++;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void test_hid_wakes_when_the_target_is_there(void **state)
{
	struct bench *b = *state;
	struct watch w = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	struct ka_errbuf eb;
	struct ka_hid_state s;

	assert_int_equal(ka_hid_new(&b->hid, &b->cfg, (struct ka_wake){.fn = on_wake, .arg = &w}, &eb), 0);
	assert_int_equal(ka_hid_start(b->hid), 0);
	pthread_mutex_lock(&w.lock);
	while (!w.wakes)
		pthread_cond_wait(&w.changed, &w.lock);
	pthread_mutex_unlock(&w.lock);
	ka_hid_get_state(b->hid, &s);
	assert_int_equal(s.usb, KA_USB_CONFIGURED);
	assert_false(s.leds_known);
	finish(b);
}

/* Waits until the record holds `lines` lines of the keyboard. */
static void wait_for_reports(struct bench *b, uint64_t reports)
{
	struct ka_hid_state s;
	struct timespec tick = {.tv_nsec = 1000000};

	for (unsigned int i = 0; i < 20000; i++) {
		ka_hid_get_state(b->hid, &s);
		if (s.reports >= reports)
			return;
		nanosleep(&tick, NULL);
	}
	fail_msg("only %" PRIu64 " reports", s.reports);
}

static void test_hid_types_a_text(void **state)
{
	struct bench *b = *state;
	struct ka_input text = {.kind = KA_INPUT_TEXT, .source = 1, .text = {.utf8 = strdup("aB\n")}};
	char seen[1024];

	start(b);
	ka_hid_post(b->hid, &text);
	/* Down and up, with Shift around the second. */
	wait_for_reports(b, 2 + 4 + 2);
	finish(b);
	read_record(b, "keyboard", seen, sizeof(seen));
	assert_string_equal(seen, "0000040000000000 0000000000000000 "
				  "0200000000000000 0200050000000000 0200000000000000 0000000000000000 "
				  "0000280000000000 0000000000000000 ");
}

/* Sessions that flood the mailbox from several threads while it overflows: in the end nothing is held. */
#define FLOODERS 4
#define FLOOD_EVENTS 3000

struct flooder {
	struct ka_thread thread;
	struct bench *b;
	uint32_t source;
};

static void *flood(void *arg)
{
	struct flooder *f = arg;

	for (unsigned int i = 0; i < FLOOD_EVENTS; i++) {
		struct ka_input move = {.kind = KA_INPUT_MOVE_ABS, .source = f->source, .pos = {(uint16_t)i, 7}};
		struct ka_input press = {.kind = KA_INPUT_BUTTON,
					 .source = f->source,
					 .button = {.mask = KA_BUTTON_LEFT, .down = i % 2 == 0}};

		post_key(f->b, f->source, (uint16_t)(0x04 + (i / 2) % 20), i % 2 == 0);
		ka_hid_post(f->b->hid, &move);
		ka_hid_post(f->b->hid, &press);
	}
	post_key(f->b, f->source, 0x1d, true);
	return NULL;
}

static void assert_ends_with(const char *text, const char *end)
{
	assert_true(strlen(text) >= strlen(end));
	assert_string_equal(text + strlen(text) - strlen(end), end);
}

static void test_hid_flooded_by_sessions_holds_nothing_afterwards(void **state)
{
	struct bench *b = *state;
	struct flooder all[FLOODERS] = {0};
	static char seen[1 << 20];

	start(b);
	for (unsigned int i = 0; i < FLOODERS; i++) {
		all[i].b = b;
		all[i].source = i + 1;
		assert_int_equal(ka_thread_start(&all[i].thread, "flood", flood, &all[i]), 0);
	}
	for (unsigned int i = 0; i < FLOODERS; i++)
		ka_thread_join(&all[i].thread);
	for (uint32_t source = 1; source <= FLOODERS; source++) {
		struct ka_input release = {.kind = KA_INPUT_RELEASE, .source = source};

		ka_hid_post(b->hid, &release);
	}
	finish(b);
	read_record(b, "keyboard", seen, sizeof(seen));
	assert_ends_with(seen, "0000000000000000 ");
	read_record(b, "abs", seen, sizeof(seen));
	assert_int_equal(strncmp(strrchr(seen, ' ') - 14, "00", 2), 0);
}

/* Nobody takes: the box fills up, is emptied once, and everything is released when the thread comes to it. */
static void test_hid_overflow_releases_everything(void **state)
{
	struct bench *b = *state;
	struct ka_errbuf eb;
	char seen[16384];

	assert_int_equal(ka_hid_new(&b->hid, &b->cfg, (struct ka_wake){0}, &eb), 0);
	post_key(b, 1, 0xe0, true);
	for (unsigned int i = 0; i < 255; i++)
		post_key(b, 1, (uint16_t)(0x04 + i % 4), true);
	/* The 257th does not fit: it and the 256 before it are gone. */
	post_key(b, 1, 0xe0, false);
	/* Posted after the overflow: goes down, and up again by the release. */
	post_key(b, 1, 0x10, true);
	assert_int_equal(ka_hid_start(b->hid), 0);
	wait_for_reports(b, 2);
	post_key(b, 1, 0x11, true);
	wait_for_reports(b, 3);
	finish(b);
	read_record(b, "keyboard", seen, sizeof(seen));
	assert_string_equal(seen, "0000100000000000 0000000000000000 0000110000000000 "
				  "0000000000000000 ");
}

static void test_hid_moves_coalesce_in_the_mailbox(void **state)
{
	struct bench *b = *state;
	struct ka_errbuf eb;
	struct ka_input e;
	char seen[512];

	assert_int_equal(ka_hid_new(&b->hid, &b->cfg, (struct ka_wake){0}, &eb), 0);
	for (unsigned int i = 0; i < 5000; i++) {
		e = (struct ka_input){.kind = KA_INPUT_MOVE_ABS, .source = 1, .pos = {(uint16_t)i, 1}};
		ka_hid_post(b->hid, &e);
	}
	e = (struct ka_input){.kind = KA_INPUT_BUTTON, .source = 1, .button = {.mask = 1, .down = true}};
	ka_hid_post(b->hid, &e);
	for (unsigned int i = 0; i < 100; i++) {
		e = (struct ka_input){.kind = KA_INPUT_WHEEL, .source = 1, .wheel = {.y = 12}};
		ka_hid_post(b->hid, &e);
	}
	assert_int_equal(ka_hid_start(b->hid), 0);
	finish(b);
	read_record(b, "abs", seen, sizeof(seen));
	assert_string_equal(seen, "00871301000000 01871301000000 01871301000a00 00871301000000 ");
}

static void test_hid_starts_and_stops_a_hundred_times(void **state)
{
	struct bench *b = *state;

	for (unsigned int i = 0; i < 100; i++) {
		struct ka_input text = {.kind = KA_INPUT_TEXT, .source = 3, .text = {.utf8 = strdup("xyz")}};

		start(b);
		post_key(b, 1, 0x04, true);
		ka_hid_post(b->hid, &text);
		finish(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hid_with_bad_layout_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hid_that_never_started_is_freed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hid_with_unwritable_record_says_why_and_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hid_stop_releases_what_is_held, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hid_wakes_when_the_target_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hid_types_a_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hid_flooded_by_sessions_holds_nothing_afterwards, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hid_overflow_releases_everything, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hid_moves_coalesce_in_the_mailbox, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hid_starts_and_stops_a_hundred_times, setup, teardown),
	};

	ka_log_init(STDERR_FILENO, KA_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
