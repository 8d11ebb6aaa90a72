/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What targets that run state machines need of the process: everything logged, to nowhere; seeded random bytes; no
 * SIGPIPE. One thread. */
#ifndef KA_FUZZ_SET_UP_H
#define KA_FUZZ_SET_UP_H

/* At the beginning of each input. Aborts when it cannot. */
void fuzz_set_up_once(void);

#endif
