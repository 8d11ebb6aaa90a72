/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/udc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"

struct ka_udc {
	uv_poll_t poll;
	uv_timer_t first; /* reports the state found at the start */
	unsigned int open_handles;
	int fd;
	struct ka_udc_events events;
};

int ka_udc_find(const char *class_dir, const char *wanted, char *name, size_t name_size)
{
	DIR *dir = opendir(class_dir);
	const struct dirent *e;

	if (!dir)
		return errno == ENOENT ? -ENODEV : -errno;
	name[0] = '\0';
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.' || strlen(e->d_name) >= name_size)
			continue;
		if (wanted[0] ? strcmp(e->d_name, wanted) != 0 : name[0] && strcmp(e->d_name, name) > 0)
			continue;
		ka_str_copy(name, name_size, e->d_name);
	}
	closedir(dir);
	return name[0] ? 0 : -ENODEV;
}

enum ka_usb_state ka_udc_parse_state(const char *word)
{
	if (!strcmp(word, "configured"))
		return KA_USB_CONFIGURED;
	if (!strcmp(word, "suspended"))
		return KA_USB_SUSPENDED;
	return KA_USB_DETACHED;
}

int ka_udc_wake_host(const char *class_dir, const char *name)
{
	char path[PATH_MAX];

	if (ka_str_format(path, sizeof(path), "%s/%s/srp", class_dir, name) < 0)
		return -ENAMETOOLONG;
	return ka_fs_write_attr(path, "1");
}

static void stop_watching(struct ka_udc *u)
{
	uv_poll_stop(&u->poll);
	uv_timer_stop(&u->first);
}

static void read_state(struct ka_udc *u)
{
	char word[32];
	ssize_t n = pread(u->fd, word, sizeof(word) - 1, 0);

	if (n < 0) {
		stop_watching(u);
		u->events.gone(u->events.arg);
		return;
	}
	word[n] = '\0';
	word[strcspn(word, "\n")] = '\0';
	ka_log(DEBUG, "udc", "state", "is=\"%s\"", word);
	u->events.state(u->events.arg, ka_udc_parse_state(word));
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct ka_udc *u = KA_CONTAINER_OF(p, struct ka_udc, poll);

	(void)status;
	(void)events;
	read_state(u);
}

static void on_first(uv_timer_t *t)
{
	read_state(KA_CONTAINER_OF(t, struct ka_udc, first));
}

static void on_close(uv_handle_t *h)
{
	struct ka_udc *u = h->data;

	if (--u->open_handles == 0)
		free(u);
}

int ka_udc_new(struct ka_udc **out, uv_loop_t *loop, const char *class_dir, const char *name,
	       const struct ka_udc_events *events)
{
	char path[PATH_MAX];
	struct ka_udc *u;
	int fd;
	int ret;

	if (ka_str_format(path, sizeof(path), "%s/%s/state", class_dir, name) < 0)
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	u = calloc(1, sizeof(*u));
	ret = u ? uv_poll_init(loop, &u->poll, fd) : -ENOMEM;
	if (ret < 0) {
		free(u);
		close(fd);
		return ret;
	}
	uv_timer_init(loop, &u->first);
	u->poll.data = u;
	u->first.data = u;
	u->open_handles = 2;
	u->fd = fd;
	u->events = *events;
	uv_poll_start(&u->poll, UV_PRIORITIZED, on_poll);
	uv_timer_start(&u->first, on_first, 0, 0);
	*out = u;
	return 0;
}

void ka_udc_free(struct ka_udc *u)
{
	if (!u)
		return;
	uv_close((uv_handle_t *)&u->poll, on_close);
	uv_close((uv_handle_t *)&u->first, on_close);
	close(u->fd);
	u->fd = -1;
}
