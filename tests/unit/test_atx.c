/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <errno.h>
#include <string.h>

#include "agent/atx.h"
#include "base/clock.h"

#define T0 KA_SEC(100)
#define LINES 3

/* A board with lines "p", "r" and "l". */
struct board {
	bool missing, broken;
	bool open[LINES], active[LINES], output[LINES];
	unsigned int opened, woken;
};

static int open_fake(void *ctx, void **line, const char *chip, const char *name, bool output, bool active_low,
		     struct ka_errbuf *eb)
{
	struct board *b = ctx;
	size_t i = (size_t)(strchr("prl", name[0]) - "prl");

	assert_string_equal(chip, "board");
	assert_true(active_low);
	assert_false(b->open[i]);
	if (b->missing) {
		ka_errbuf_set(eb, "no board");
		return -ENOENT;
	}
	b->open[i] = true;
	b->output[i] = output;
	b->active[i] = false;
	b->opened++;
	*line = &b->active[i];
	return 0;
}

static int set_fake(void *ctx, void *line, bool active)
{
	struct board *b = ctx;
	bool *at = line;

	assert_true(b->open[at - b->active] && b->output[at - b->active]);
	if (b->broken)
		return -EIO;
	*at = active;
	return 0;
}

static int get_fake(void *ctx, void *line)
{
	struct board *b = ctx;

	return b->broken ? -EIO : *(bool *)line;
}

static void close_fake(void *ctx, void *line)
{
	struct board *b = ctx;

	if (!line)
		return;
	assert_true(b->open[(bool *)line - b->active]);
	b->open[(bool *)line - b->active] = false;
}

static void woken(void *arg)
{
	((struct board *)arg)->woken++;
}

static const struct ka_atx_cfg cfg = {.chip = "board",
				      .power_line = "p",
				      .reset_line = "r",
				      .led_line = "l",
				      .active_low = true,
				      .press_ms = 500,
				      .hold_ms = 6000};

struct rig {
	struct board board;
	struct ka_gpio_ops ops;
	struct ka_atx atx;
};

static void start(struct rig *r, const struct ka_atx_cfg *c)
{
	r->ops = (struct ka_gpio_ops){
		.ctx = &r->board, .open = open_fake, .set = set_fake, .get = get_fake, .close = close_fake};
	ka_atx_init(&r->atx, c, &r->ops, (struct ka_wake){.fn = woken, .arg = &r->board});
}

static void test_nothing_wired_nothing_done(void **state)
{
	struct ka_atx_cfg none = cfg;
	struct rig r = {0};

	(void)state;
	none.chip = "";
	start(&r, &none);
	assert_false(ka_atx_can(&r.atx, KA_ATX_RESET));
	assert_int_equal(ka_atx_request(&r.atx, KA_ATX_RESET), -ENOTSUP);
	assert_int_equal(ka_atx_light(&r.atx), -1);
	assert_true(ka_atx_turn(&r.atx, T0) == INT64_MAX);
	assert_int_equal(r.board.opened, 0);
	ka_atx_fini(&r.atx);
	none.chip = "board";
	none.reset_line = "";
	start(&r, &none);
	assert_false(ka_atx_can(&r.atx, KA_ATX_RESET));
	assert_true(ka_atx_can(&r.atx, KA_ATX_POWER) && ka_atx_can(&r.atx, KA_ATX_HOLD));
	ka_atx_fini(&r.atx);
}

static void test_press_lasts_its_time_and_excludes_others(void **state)
{
	struct rig r = {0};

	(void)state;
	start(&r, &cfg);
	assert_int_equal(ka_atx_request(&r.atx, KA_ATX_RESET), 0);
	assert_int_equal(r.board.woken, 1);
	assert_int_equal(ka_atx_request(&r.atx, KA_ATX_POWER), -EBUSY);
	assert_true(ka_atx_turn(&r.atx, T0) == T0 + KA_MS(500));
	assert_true(r.board.active[1] && !r.board.active[0]);
	assert_int_equal(ka_atx_request(&r.atx, KA_ATX_HOLD), -EBUSY);
	assert_true(ka_atx_turn(&r.atx, T0 + KA_MS(499)) == T0 + KA_MS(500));
	assert_true(r.board.active[1]);
	assert_true(ka_atx_turn(&r.atx, T0 + KA_MS(500)) == INT64_MAX);
	assert_false(r.board.active[1]);
	assert_int_equal(ka_atx_request(&r.atx, KA_ATX_HOLD), 0);
	assert_true(ka_atx_turn(&r.atx, T0 + KA_SEC(1)) == T0 + KA_SEC(7));
	assert_true(r.board.active[0] && !r.board.active[1]);
	/* The end of the agent lets go. */
	ka_atx_fini(&r.atx);
	assert_false(r.board.active[0]);
	for (int i = 0; i < LINES; i++)
		assert_false(r.board.open[i]);
}

static void test_board_that_comes_later_or_breaks(void **state)
{
	struct rig r = {.board = {.missing = true}};

	(void)state;
	start(&r, &cfg);
	/* Nobody is told that something was pressed that was not. */
	assert_int_equal(ka_atx_request(&r.atx, KA_ATX_POWER), -ENODEV);
	assert_int_equal(ka_atx_request(&r.atx, KA_ATX_RESET), -ENODEV);
	assert_true(ka_atx_turn(&r.atx, T0) == INT64_MAX);
	assert_int_equal(ka_atx_request(&r.atx, KA_ATX_POWER), -ENODEV);
	r.board.missing = false;
	assert_true(ka_atx_turn(&r.atx, T0) == INT64_MAX);
	assert_true(r.board.open[0] && r.board.open[1]);
	assert_int_equal(ka_atx_request(&r.atx, KA_ATX_POWER), 0);
	assert_true(ka_atx_turn(&r.atx, T0) < INT64_MAX);
	assert_true(r.board.active[0]);
	assert_true(ka_atx_turn(&r.atx, T0 + KA_SEC(1)) == INT64_MAX);
	r.board.broken = true;
	assert_int_equal(ka_atx_request(&r.atx, KA_ATX_POWER), 0);
	assert_true(ka_atx_turn(&r.atx, T0 + KA_SEC(2)) == INT64_MAX);
	assert_false(r.board.active[0]);
	assert_int_equal(ka_atx_light(&r.atx), -1);
	r.board.broken = false;
	assert_int_equal(ka_atx_request(&r.atx, KA_ATX_POWER), 0);
	assert_true(ka_atx_turn(&r.atx, T0 + KA_SEC(3)) < INT64_MAX);
	ka_atx_fini(&r.atx);
}

static void test_light_is_followed(void **state)
{
	struct rig r = {0};

	(void)state;
	start(&r, &cfg);
	(void)!ka_atx_turn(&r.atx, T0);
	assert_int_equal(ka_atx_light(&r.atx), 0);
	r.board.active[2] = true;
	(void)!ka_atx_turn(&r.atx, T0 + KA_SEC(1));
	assert_int_equal(ka_atx_light(&r.atx), 1);
	assert_false(r.board.output[2]);
	ka_atx_fini(&r.atx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_wired_nothing_done),
		cmocka_unit_test(test_press_lasts_its_time_and_excludes_others),
		cmocka_unit_test(test_board_that_comes_later_or_breaks),
		cmocka_unit_test(test_light_is_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
