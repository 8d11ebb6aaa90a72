/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/loop.h"

#include <assert.h>
#include <string.h>

static void on_async(uv_async_t *a)
{
	struct ka_loop *l = KA_CONTAINER_OF(a, struct ka_loop, async);

	ka_pulse_answer(&l->pulse);
	if (atomic_load_explicit(&l->stop, memory_order_acquire))
		uv_stop(&l->uv);
	if (l->on_wake)
		l->on_wake(l->arg);
}

int ka_loop_init(struct ka_loop *l, void (*on_wake)(void *arg), void *arg)
{
	int ret;

	memset(l, 0, sizeof(*l));
	l->on_wake = on_wake;
	l->arg = arg;
	ret = uv_loop_init(&l->uv);
	if (ret < 0)
		return ret;
	ret = uv_async_init(&l->uv, &l->async, on_async);
	if (ret < 0) {
		uv_loop_close(&l->uv);
		return ret;
	}
	l->open = true;
	return 0;
}

void ka_loop_run(struct ka_loop *l)
{
	while (!atomic_load_explicit(&l->stop, memory_order_acquire))
		uv_run(&l->uv, UV_RUN_DEFAULT);
}

void ka_loop_wake(struct ka_loop *l)
{
	uv_async_send(&l->async);
}

void ka_loop_stop(struct ka_loop *l)
{
	atomic_store_explicit(&l->stop, true, memory_order_release);
	uv_async_send(&l->async);
}

bool ka_loop_alive(struct ka_loop *l)
{
	if (!ka_pulse_ask(&l->pulse))
		return false;
	uv_async_send(&l->async);
	return true;
}

static void wake_loop(void *arg)
{
	ka_loop_wake(arg);
}

struct ka_wake ka_loop_waker(struct ka_loop *l)
{
	return (struct ka_wake){.fn = wake_loop, .arg = l};
}

void ka_loop_fini(struct ka_loop *l)
{
	int ret;

	if (!l->open)
		return;
	uv_close((uv_handle_t *)&l->async, NULL);
	/* Cancelled requests (DNS) and close callbacks still have to run. */
	while (uv_run(&l->uv, UV_RUN_DEFAULT) != 0)
		;
	ret = uv_loop_close(&l->uv);
	assert(ret == 0);
	(void)ret;
	l->open = false;
}

void ka_timer_once(uv_timer_t *t, uv_timer_cb cb, uint64_t ms)
{
	/* uv_now is cached per iteration; a long callback would shorten the delay. */
	uv_update_time(t->loop);
	uv_timer_start(t, cb, ms, 0);
}
