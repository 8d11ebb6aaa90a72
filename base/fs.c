/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/str.h"

static int read_some(int fd, uint8_t *dst, size_t n)
{
	ssize_t got;

	do {
		got = read(fd, dst, n);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : (int)got;
}

int ka_fs_read(const char *path, struct ka_bytes *out)
{
	KA_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	int n;

	if (fd < 0)
		return -errno;
	do {
		uint8_t chunk[4096];

		n = read_some(fd, chunk, sizeof(chunk));
		if (n < 0)
			return n;
		if (ka_bytes_add(out, chunk, (size_t)n) < 0)
			return out->error;
	} while (n > 0);
	if (ka_bytes_add(out, "", 1) < 0)
		return out->error;
	out->len--;
	return 0;
}

static int write_full(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int sync_parent(const char *path)
{
	char dir[PATH_MAX];
	char *slash;

	if (!ka_str_copy(dir, sizeof(dir), path))
		return -ENAMETOOLONG;
	slash = strrchr(dir, '/');
	if (!slash)
		ka_str_copy(dir, sizeof(dir), ".");
	else
		slash[slash == dir] = '\0';
	KA_AUTO_FD fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

int ka_fs_write_atomic(const char *path, const void *data, size_t len, mode_t mode)
{
	char temp[PATH_MAX];
	int ret = ka_str_format(temp, sizeof(temp), "%s.new", path);

	if (ret < 0)
		return -ENAMETOOLONG;
	if (unlink(temp) < 0 && errno != ENOENT)
		return -errno;
	KA_AUTO_FD fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0)
		return -errno;
	ret = write_full(fd, data, len);
	if (!ret && fsync(fd) < 0)
		ret = -errno;
	if (!ret && rename(temp, path) < 0)
		ret = -errno;
	if (ret < 0) {
		unlink(temp);
		return ret;
	}
	return sync_parent(path);
}

int ka_fs_write_attr(const char *path, const char *text)
{
	KA_AUTO_FD fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int ka_fs_read_attr(const char *path, char *dst, size_t dst_size)
{
	KA_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	int n;

	if (fd < 0)
		return -errno;
	n = read_some(fd, (uint8_t *)dst, dst_size - 1);
	if (n < 0)
		return n;
	dst[n] = '\0';
	dst[strcspn(dst, "\n")] = '\0';
	return 0;
}

int ka_fs_mkdirs(const char *path, mode_t mode)
{
	char partial[PATH_MAX];
	struct stat st;

	if (!ka_str_copy(partial, sizeof(partial), path))
		return -ENAMETOOLONG;
	if (!*partial)
		return -ENOENT;
	/* Slashes at the end would make the last folder one of the parents. */
	for (size_t n = strlen(partial); n > 1 && partial[n - 1] == '/'; n--)
		partial[n - 1] = '\0';
	for (char *p = partial + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(partial, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	if (mkdir(partial, mode) < 0 && errno != EEXIST)
		return -errno;
	if (stat(partial, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}
