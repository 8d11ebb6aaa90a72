/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent as it is (agent/main.c), but for the calls to its capture devices: those of bench_device.h. */
#include "capture/capture_priv.h"
#include "tests/bench/bench_device.h"

/* Stands in for the real one by the linker's --wrap. */
int __wrap_ka_capture_new(struct ka_capture **out, const struct ka_capture_cfg *cfg, struct ka_errbuf *eb);

int __wrap_ka_capture_new(struct ka_capture **out, const struct ka_capture_cfg *cfg, struct ka_errbuf *eb)
{
	/* They live as long as the process, and must not pass for leaks. */
	static struct bench_device *volatile kept[16];
	static unsigned int n;
	struct bench_device *d;
	int ret = bench_device_new(&d);

	(void)kept[0];
	if (ret < 0)
		return ret;
	ret = ka_capture_new_io(out, cfg, bench_device_io(d), eb);
	if (ret < 0)
		bench_device_free(d);
	else
		kept[n++ % 16] = d;
	return ret;
}
