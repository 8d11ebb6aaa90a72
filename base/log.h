/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Log lines: `ka_log(INFO, "v4l2", "streaming", "w=%u h=%u", w, h)` prints `v4l2: streaming w=1920 h=1080`.
 * Any thread. The level is tested before anything is formatted. One write(2) per line, cut at 1 KiB;
 * never waits: lines that the sink does not take are counted and dropped.
 * To a terminal: time, level and thread name come first; elsewhere the journald priority prefix `<6>`.
 * Text from a peer or a device must pass ka_log_escape() first; secrets are never passed at all.
 */
#ifndef KA_LOG_H
#define KA_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum ka_log_level { KA_LOG_ERROR, KA_LOG_WARN, KA_LOG_INFO, KA_LOG_DEBUG, KA_LOG_TRACE };

/* fd: where lines go (not owned). Call before threads exist; the default is INFO to stderr. */
void ka_log_init(int fd, enum ka_log_level level);
/* The level of one component, or of all when component is NULL. At most 16 components; -ENOSPC past that.
 * -EINVAL when the name has more than 15 bytes. */
int ka_log_set_level(const char *component, enum ka_log_level level) KA_MUST_USE;
/* "error".."trace" to a level; -EINVAL for another word. */
int ka_log_parse_level(const char *word, enum ka_log_level *out) KA_MUST_USE;
bool ka_log_enabled(enum ka_log_level level, const char *component);
void ka_log_write(enum ka_log_level level, const char *component, const char *event, const char *fmt, ...)
	KA_PRINTF(4, 5);

/* Makes any bytes printable in dst (always terminated): quotes, backslashes, hidden characters (ka_utf8_hidden)
 * and bytes that are not valid UTF-8 become \xNN. Returns dst. */
const char *ka_log_escape(char *dst, size_t dst_size, const char *src, size_t src_len);

/* fmt "" means no details; -Wall dislikes that without cause. */
#pragma GCC diagnostic ignored "-Wformat-zero-length"
#define ka_log(LEVEL, component, event, ...)                                                                           \
	do {                                                                                                           \
		if (ka_log_enabled(KA_LOG_##LEVEL, component))                                                         \
			ka_log_write(KA_LOG_##LEVEL, component, event, __VA_ARGS__);                                   \
	} while (0)

/* At most one line per period_us from this place; says how many were left out. */
struct ka_log_gate {
	_Atomic int64_t next_us;
	_Atomic unsigned int suppressed;
};
bool ka_log_gate_pass(struct ka_log_gate *gate, int64_t period_us, unsigned int *suppressed);
#define ka_log_every(LEVEL, period_us, component, event, fmt, ...)                                                     \
	do {                                                                                                           \
		static struct ka_log_gate ka_gate_;                                                                    \
		unsigned int ka_left_out_;                                                                             \
		if (ka_log_enabled(KA_LOG_##LEVEL, component) &&                                                       \
		    ka_log_gate_pass(&ka_gate_, period_us, &ka_left_out_))                                             \
			ka_log_write(KA_LOG_##LEVEL, component, event, fmt " left_out=%u", ##__VA_ARGS__,              \
				     ka_left_out_);                                                                    \
	} while (0)

/* The same, but so many lines at once pass; and nothing is said when none was left out. */
bool ka_log_gate_burst(struct ka_log_gate *gate, unsigned int burst, int64_t period_us, unsigned int *suppressed);
#define ka_log_burst(LEVEL, burst, period_us, component, event, fmt, ...)                                              \
	do {                                                                                                           \
		static struct ka_log_gate ka_gate_;                                                                    \
		unsigned int ka_left_out_;                                                                             \
		if (!ka_log_enabled(KA_LOG_##LEVEL, component) ||                                                      \
		    !ka_log_gate_burst(&ka_gate_, burst, period_us, &ka_left_out_))                                    \
			break;                                                                                         \
		if (ka_left_out_)                                                                                      \
			ka_log_write(KA_LOG_##LEVEL, component, event, fmt " left_out=%u", ##__VA_ARGS__,              \
				     ka_left_out_);                                                                    \
		else                                                                                                   \
			ka_log_write(KA_LOG_##LEVEL, component, event, fmt, ##__VA_ARGS__);                            \
	} while (0)

#endif
