/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

#define MAX_COMPONENTS 16
#define LINE_BYTES 1024

/* The one global of the program: level and sink. Components are only ever added, so readers need no lock. */
static struct {
	int fd;
	bool tty;
	_Atomic int level;
	_Atomic unsigned int lost; /* lines the sink did not take */
	_Atomic unsigned int n_components;
	struct {
		char name[16];
		_Atomic int level;
	} components[MAX_COMPONENTS];
} sink = {.fd = STDERR_FILENO, .level = KA_LOG_INFO};

static pthread_mutex_t components_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const level_words[] = {"error", "warn", "info", "debug", "trace"};

void ka_log_init(int fd, enum ka_log_level level)
{
	sink.fd = fd;
	sink.tty = isatty(fd) == 1;
	atomic_store_explicit(&sink.level, (int)level, memory_order_relaxed);
}

int ka_log_parse_level(const char *word, enum ka_log_level *out)
{
	for (size_t i = 0; i < KA_ARRAY_LEN(level_words); i++) {
		if (!strcmp(word, level_words[i])) {
			*out = (enum ka_log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int find_component(const char *component, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!strcmp(component, sink.components[i].name))
			return (int)i;
	}
	return -ENOENT;
}

int ka_log_set_level(const char *component, enum ka_log_level level)
{
	int ret = 0;
	unsigned int n;
	int i;

	if (component && strlen(component) >= sizeof(sink.components[0].name))
		return -EINVAL;
	if (!component) {
		atomic_store_explicit(&sink.level, (int)level, memory_order_relaxed);
		return 0;
	}
	pthread_mutex_lock(&components_lock);
	n = atomic_load_explicit(&sink.n_components, memory_order_relaxed);
	i = find_component(component, n);
	if (i >= 0) {
		atomic_store_explicit(&sink.components[i].level, (int)level, memory_order_relaxed);
	} else if (n < MAX_COMPONENTS) {
		ka_str_copy(sink.components[n].name, sizeof(sink.components[n].name), component);
		atomic_store_explicit(&sink.components[n].level, (int)level, memory_order_relaxed);
		atomic_store_explicit(&sink.n_components, n + 1, memory_order_release);
	} else {
		ret = -ENOSPC;
	}
	pthread_mutex_unlock(&components_lock);
	return ret;
}

bool ka_log_enabled(enum ka_log_level level, const char *component)
{
	unsigned int n = atomic_load_explicit(&sink.n_components, memory_order_acquire);
	int limit = atomic_load_explicit(&sink.level, memory_order_relaxed);

	if (n) {
		int i = find_component(component, n);

		if (i >= 0)
			limit = atomic_load_explicit(&sink.components[i].level, memory_order_relaxed);
	}
	return (int)level <= limit;
}

static size_t write_prefix(char *line, size_t size, enum ka_log_level level)
{
	static const char priority[] = {'3', '4', '6', '7', '7'};
	char thread[16] = "";
	struct timespec now;
	struct tm tm;
	int n;

	if (!sink.tty) {
		n = snprintf(line, size, "<%c>", priority[level]);
		return (size_t)n;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	pthread_getname_np(pthread_self(), thread, sizeof(thread));
	n = snprintf(line, size, "%02d:%02d:%02d.%03ld %-5s %-9s ", tm.tm_hour, tm.tm_min, tm.tm_sec,
		     now.tv_nsec / 1000000, level_words[level], thread);
	return (size_t)n;
}

/* A log that nobody reads (full pipe, stopped terminal, full disk) must not stop a KVM: the line is dropped then. A
 * pipe that is writable takes a whole line, as lines are shorter than PIPE_BUF. */
static void emit(const char *line, size_t len)
{
	struct pollfd p = {.fd = sink.fd, .events = POLLOUT};
	char note[64];
	unsigned int lost;

	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT)) {
		atomic_fetch_add_explicit(&sink.lost, 1, memory_order_relaxed);
		return;
	}
	lost = atomic_exchange_explicit(&sink.lost, 0, memory_order_relaxed);
	if (lost) {
		int n = snprintf(note, sizeof(note), "<4>log: lost lines=%u\n", lost);
		ssize_t ignored = write(sink.fd, note, (size_t)n);

		(void)ignored;
	}
	ssize_t ignored = write(sink.fd, line, len);

	(void)ignored;
}

void ka_log_write(enum ka_log_level level, const char *component, const char *event, const char *fmt, ...)
{
	char line[LINE_BYTES];
	int saved = errno;
	size_t used = write_prefix(line, sizeof(line), level);
	int n = snprintf(line + used, sizeof(line) - used, "%s: %s%s", component, event, *fmt ? " " : "");
	va_list ap;

	used = KA_MIN(used + (size_t)n, sizeof(line) - 1);
	va_start(ap, fmt);
	n = vsnprintf(line + used, sizeof(line) - used, fmt, ap);
	va_end(ap);
	if (n > 0)
		used = KA_MIN(used + (size_t)n, sizeof(line) - 1);
	if (used == sizeof(line) - 1)
		used--;
	line[used++] = '\n';
	emit(line, used);
	errno = saved;
}

const char *ka_log_escape(char *dst, size_t dst_size, const char *src, size_t src_len)
{
	static const char hex[] = "0123456789abcdef";
	size_t out = 0;
	size_t in = 0;

	if (!dst_size)
		return dst;
	while (in < src_len) {
		uint32_t cp;
		size_t n = ka_utf8_decode(src + in, src_len - in, &cp);
		bool plain = n && cp != '"' && cp != '\\' && !ka_utf8_hidden(cp);

		if (!n)
			n = 1;
		if (out + (plain ? n : 4 * n) + 1 > dst_size)
			break;
		for (size_t i = 0; i < n; i++) {
			unsigned char c = (unsigned char)src[in + i];

			if (plain) {
				dst[out++] = (char)c;
				continue;
			}
			dst[out++] = '\\';
			dst[out++] = 'x';
			dst[out++] = hex[c >> 4];
			dst[out++] = hex[c & 15];
		}
		in += n;
	}
	dst[out] = '\0';
	return dst;
}

bool ka_log_gate_pass(struct ka_log_gate *gate, int64_t period_us, unsigned int *suppressed)
{
	int64_t now = ka_clock_us();
	int64_t next = atomic_load_explicit(&gate->next_us, memory_order_relaxed);

	if (now < next || !atomic_compare_exchange_strong_explicit(&gate->next_us, &next, now + period_us,
								   memory_order_relaxed, memory_order_relaxed)) {
		atomic_fetch_add_explicit(&gate->suppressed, 1, memory_order_relaxed);
		return false;
	}
	*suppressed = atomic_exchange_explicit(&gate->suppressed, 0, memory_order_relaxed);
	return true;
}

/* next_us: when the whole burst may come again. */
bool ka_log_gate_burst(struct ka_log_gate *gate, unsigned int burst, int64_t period_us, unsigned int *suppressed)
{
	int64_t now = ka_clock_us();
	int64_t next = atomic_load_explicit(&gate->next_us, memory_order_relaxed);
	int64_t then;

	do {
		then = KA_MAX(next, now) + period_us;
		if (then - now > burst * period_us) {
			atomic_fetch_add_explicit(&gate->suppressed, 1, memory_order_relaxed);
			return false;
		}
	} while (!atomic_compare_exchange_weak_explicit(&gate->next_us, &next, then, memory_order_relaxed,
							memory_order_relaxed));
	*suppressed = atomic_exchange_explicit(&gate->suppressed, 0, memory_order_relaxed);
	return true;
}
