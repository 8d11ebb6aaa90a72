/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/fuzz_set_up.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/log.h"
#include "tests/fake/fake_random.h"

void fuzz_set_up_once(void)
{
	static bool done;
	int fd;

	if (done)
		return;
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ka_log_init(fd, KA_LOG_TRACE);
	signal(SIGPIPE, SIG_IGN); /* blocked in the agent */
	if (fd < 0 || fake_random_install() < 0 || sodium_init() < 0)
		abort();
	done = true;
}
