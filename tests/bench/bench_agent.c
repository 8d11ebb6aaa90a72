/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent as it is (agent/main.c), but for the calls to its capture devices: those of bench_device.h. */
#include "capture/capture_priv.h"
#include "tests/bench/bench_device.h"

/* Stands in for the real one by the linker's --wrap. */
int __wrap_ka_capture_new(struct ka_capture **out, const struct ka_capture_cfg *cfg, struct ka_errbuf *eb);

int __wrap_ka_capture_new(struct ka_capture **out, const struct ka_capture_cfg *cfg, struct ka_errbuf *eb)
{
	struct bench_device *d;
	int ret = bench_device_new(&d);

	if (ret < 0)
		return ret;
	ret = ka_capture_new_io(out, cfg, bench_device_io(d), eb);
	/* Otherwise it lives as long as the process. */
	if (ret < 0)
		bench_device_free(d);
	return ret;
}
