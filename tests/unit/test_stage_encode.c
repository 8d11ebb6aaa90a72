/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the encoding stage asks of an encoder, which here only takes notes: when, and what it is told of changes. */
#include "tests/check/check.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "base/clock.h"
#include "capture/stage_encode.h"

#define W 320u
#define H 192u
#define BLOCKS (20u * 12u)
#define PATIENCE_MS 20000
#define NOTES 256

struct note {
	bool key, refine;
	int changed; /* blocks; -1: anything may have changed */
	uint64_t number;
};

/* The encoder's notebook; one at a time. */
static struct notebook {
	pthread_mutex_t lock; /* guards all below */
	struct note notes[NOTES];
	int n, read;
	int opens, fail;   /* fail: so many pictures */
	int passes_wanted; /* how often refinement says that another pass would help */
	sem_t news;
} book = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct ka_encoder {
	bool fresh;
};

static int check_any(const struct ka_encoder_cfg *cfg, struct ka_errbuf *eb)
{
	(void)cfg;
	(void)eb;
	return 0;
}

static int open_notes(struct ka_encoder **out, const struct ka_encoder_cfg *cfg)
{
	(void)cfg;
	*out = calloc(1, sizeof(**out));
	(*out)->fresh = true;
	pthread_mutex_lock(&book.lock);
	book.opens++;
	pthread_mutex_unlock(&book.lock);
	return 0;
}

static int encode_notes(struct ka_encoder *e, const struct ka_frame *f, const struct ka_encode_ask *ask,
			struct ka_packet **out)
{
	struct note n = {.key = ask->key || e->fresh, .refine = ask->refine, .number = f->number};
	int ret = 0;

	if (!ask->changed)
		n.changed = -1;
	for (uint32_t i = 0; ask->changed && i < BLOCKS; i++)
		n.changed += ask->changed[i] != 0;
	pthread_mutex_lock(&book.lock);
	if (book.fail > 0) {
		book.fail--;
		ret = -EIO;
	} else {
		assert_true(book.n < NOTES);
		book.notes[book.n++] = n;
		if (ask->refine && book.passes_wanted-- > 0)
			ret = 1;
	}
	pthread_mutex_unlock(&book.lock);
	if (ret < 0)
		return ret;
	assert_int_equal(ka_packet_new(out, 10), 0);
	(*out)->key = n.key;
	(*out)->width = f->width;
	(*out)->height = f->height;
	(*out)->pts_ms = ask->pts_ms;
	e->fresh = false;
	sem_post(&book.news);
	return ret;
}

static int rate_notes(struct ka_encoder *e, uint32_t kbps, uint32_t fps, uint32_t burst_ms)
{
	(void)e;
	assert_true(kbps > 0 && fps > 0);
	(void)burst_ms;
	return 0;
}

static void close_notes(struct ka_encoder *e)
{
	free(e);
}

static const struct ka_encoder_ops notes = {
	.name = "notes",
	.codec = KA_CODEC_H264,
	.check = check_any,
	.open = open_notes,
	.encode = encode_notes,
	.set_rate = rate_notes,
	.close = close_notes,
};

struct rig {
	struct ka_wishes *wishes;
	struct ka_cap_state *state;
	struct ka_latest *latest;
	struct ka_hub *hub;
	struct ka_stage_encode *stage;
	struct ka_wish_entry viewer, second;
	uint64_t number;
	uint64_t stamps[BLOCKS];
};

static void watch(struct rig *r, struct ka_wish_entry *e)
{
	e->rendition = 0;
	ka_wishes_add(r->wishes, e, &(struct ka_video_wish){.kbps = 4000});
	ka_stage_encode_wake(r->stage);
}

static void set_book(int *what, int value)
{
	pthread_mutex_lock(&book.lock);
	*what = value;
	pthread_mutex_unlock(&book.lock);
}

static int count_opens(void)
{
	int n;

	pthread_mutex_lock(&book.lock);
	n = book.opens;
	pthread_mutex_unlock(&book.lock);
	return n;
}

static int set_up(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct ka_stage_encode_cfg cfg = {.encoder = &notes,
					  .settings = {.preset = "", .fps = 30},
					  .slate_fps = 5,
					  .device = "",
					  .geometry = {W, H}};

	book.n = book.read = book.opens = book.fail = book.passes_wanted = 0;
	sem_init(&book.news, 0, 0);
	assert_int_equal(ka_wishes_new(&r->wishes), 0);
	assert_int_equal(ka_cap_state_new(&r->state, (struct ka_geometry){W, H}), 0);
	assert_int_equal(ka_latest_new(&r->latest), 0);
	assert_int_equal(ka_hub_new(&r->hub), 0);
	cfg.wishes = r->wishes;
	cfg.state = r->state;
	cfg.latest = r->latest;
	cfg.hub = r->hub;
	assert_int_equal(ka_stage_encode_new(&r->stage, &cfg), 0);
	assert_int_equal(ka_stage_encode_start(r->stage), 0);
	watch(r, &r->viewer);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	ka_wishes_remove(r->wishes, &r->viewer);
	ka_stage_encode_stop(r->stage);
	ka_stage_encode_join(r->stage);
	ka_stage_encode_free(r->stage);
	ka_hub_free(r->hub);
	ka_latest_free(r->latest);
	ka_cap_state_free(r->state);
	ka_wishes_free(r->wishes);
	sem_destroy(&book.news);
	free(r);
	return 0;
}

/* The next picture, in which `count` blocks from `first` on are new. */
static struct ka_frame *make_picture(struct rig *r, uint32_t first, uint32_t count)
{
	struct ka_frame *f;

	r->number++;
	for (uint32_t i = first; i < first + count; i++)
		r->stamps[i] = r->number;
	assert_int_equal(ka_frame_alloc(&f, KA_PIX_NV12, W, H), 0);
	assert_int_equal(ka_buf_new(&f->stamps, sizeof(r->stamps)), 0);
	memcpy(f->stamps->data, r->stamps, sizeof(r->stamps));
	f->number = r->number;
	return f;
}

static void show(struct rig *r, uint32_t first, uint32_t count)
{
	ka_latest_put(r->latest, make_picture(r, first, count));
}

/* What was encoded next; false when nothing was for so long. */
static bool take(struct note *n, int64_t ms)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	while (sem_timedwait(&book.news, &end) < 0) {
		if (errno != EINTR)
			return false;
	}
	pthread_mutex_lock(&book.lock);
	*n = book.notes[book.read++];
	pthread_mutex_unlock(&book.lock);
	return true;
}

static struct note must_take(void)
{
	struct note n;

	if (!take(&n, PATIENCE_MS))
		fail_msg("nothing was encoded");
	return n;
}

/* Repeats and passes until there are no more. How many passes. */
static int wait_for_silence(void)
{
	struct note n;
	int passes = 0;

	while (take(&n, 1500)) {
		assert_int_equal(n.changed, 0);
		assert_false(n.key);
		passes += n.refine;
	}
	return passes;
}

static void test_still_is_repeated_refined_and_left_alone(void **state)
{
	struct rig *r = *state;
	struct note n;

	set_book(&book.passes_wanted, 3);
	show(r, 0, BLOCKS);
	n = must_take();
	assert_true(n.key);
	assert_int_equal(n.changed, -1);
	assert_int_equal(wait_for_silence(), 4);
	assert_true(book.read >= 6); /* the repeats after a key picture */
	assert_false(take(&n, 1000));
	/* Three blocks change; only they, then one pass, and no repeats. */
	show(r, 7, 3);
	n = must_take();
	assert_false(n.refine || n.key);
	assert_int_equal(n.changed, 3);
	n = must_take();
	assert_true(n.refine);
	assert_int_equal(n.changed, 0);
	assert_false(take(&n, 1000));
}

static void test_changes_of_lost_pictures_count(void **state)
{
	struct rig *r = *state;
	struct ka_frame *lost;
	struct note n;

	show(r, 0, BLOCKS);
	assert_true(must_take().key);
	(void)wait_for_silence();
	lost = make_picture(r, 0, 5);
	ka_frame_unref(&lost);
	show(r, 3, 4);
	n = must_take();
	assert_int_equal(n.changed, 7);
	/* A picture that cannot be compared. */
	assert_int_equal(ka_frame_alloc(&lost, KA_PIX_NV12, W, H), 0);
	ka_latest_put(r->latest, lost);
	do
		n = must_take();
	while (n.refine);
	assert_int_equal(n.changed, -1);
	show(r, 0, 1);
	do
		n = must_take();
	while (n.refine);
	assert_int_equal(n.changed, -1);
}

static void test_a_change_comes_before_refinement(void **state)
{
	struct rig *r = *state;
	int passes = 0;

	set_book(&book.passes_wanted, 1000);
	show(r, 0, BLOCKS);
	(void)must_take();
	for (int i = 0; i < 10; i++) {
		struct note n;

		show(r, (uint32_t)i, 1);
		do {
			n = must_take();
			passes += n.refine;
		} while (n.number != r->number);
		assert_false(n.refine);
		assert_int_equal(n.changed, 1);
	}
	/* However much there is to gain it ends some time. */
	set_book(&book.passes_wanted, 0);
	(void)wait_for_silence();
	assert_true(passes < 10);
}

static void test_key_pictures_come_while_nothing_changes(void **state)
{
	struct rig *r = *state;
	struct note n;

	show(r, 0, BLOCKS);
	assert_true(must_take().key);
	(void)wait_for_silence();
	ka_wishes_ask_key(r->wishes, &r->viewer);
	ka_stage_encode_wake(r->stage);
	assert_true(must_take().key);
	assert_int_equal(wait_for_silence(), 1);
	watch(r, &r->second);
	assert_true(must_take().key);
	assert_int_equal(wait_for_silence(), 1);
	ka_wishes_remove(r->wishes, &r->second);
	/* All leave and one returns: the picture is still there, and nobody puts it again. */
	ka_wishes_remove(r->wishes, &r->viewer);
	ka_stage_encode_wake(r->stage);
	assert_false(take(&n, 300));
	watch(r, &r->viewer);
	n = must_take();
	assert_true(n.key);
	assert_true(n.number == r->number);
}

static void test_a_failed_encoder_gets_the_picture_again(void **state)
{
	struct rig *r = *state;
	struct note n;

	set_book(&book.fail, 1);
	show(r, 0, BLOCKS);
	n = must_take();
	assert_true(n.key);
	assert_int_equal(count_opens(), 2);
	(void)wait_for_silence();
	/* Amid stillness. */
	set_book(&book.fail, 1);
	ka_wishes_ask_key(r->wishes, &r->viewer);
	ka_stage_encode_wake(r->stage);
	n = must_take();
	assert_true(n.key);
	assert_int_equal(n.changed, -1);
	assert_int_equal(count_opens(), 3);
}

static void test_a_slate_is_encoded_when_its_clock_moves(void **state)
{
	struct rig *r = *state;
	int64_t begin = ka_clock_us();
	struct note n;
	int slates = 0;

	ka_cap_state_set_cause(r->state, -KA_E_NO_CABLE, "", 0);
	ka_stage_encode_wake(r->stage);
	assert_true(must_take().key);
	while (ka_clock_us() - begin < KA_SEC(5)) {
		if (!take(&n, 1500))
			fail_msg("the clock stands still");
		assert_false(n.refine);
		slates += n.changed != 0 && ka_clock_us() - begin > KA_SEC(2);
	}
	/* Drawn five times a second, once a second another one. */
	assert_in_range(slates, 1, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_still_is_repeated_refined_and_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changes_of_lost_pictures_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_change_comes_before_refinement, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_key_pictures_come_while_nothing_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_failed_encoder_gets_the_picture_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_slate_is_encoded_when_its_clock_moves, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
