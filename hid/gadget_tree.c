/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/gadget_tree.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"

int ka_gadget_tree_check(const struct ka_hid_cfg *cfg, struct ka_errbuf *eb)
{
	char path[PATH_MAX];
	struct stat st;

	if (ka_str_format(path, sizeof(path), "%s/usb_gadget", cfg->configfs) < 0)
		return -ENAMETOOLONG;
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return 0;
	ka_errbuf_set(eb,
		      "%s is missing: load the module (modprobe libcomposite) and mount configfs "
		      "(mount -t configfs none %s)",
		      path, cfg->configfs);
	return -ENOENT;
}

int ka_gadget_tree_foreign(const struct ka_hid_cfg *cfg, const char *udc, struct ka_errbuf *eb)
{
	char path[PATH_MAX];
	const struct dirent *e;
	int ret = 0;
	DIR *dir;

	if (ka_str_format(path, sizeof(path), "%s/usb_gadget", cfg->configfs) < 0)
		return -ENAMETOOLONG;
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!ret && (e = readdir(dir))) {
		char bound[256];

		if (e->d_name[0] == '.' || !strcmp(e->d_name, cfg->gadget))
			continue;
		if (ka_str_format(path, sizeof(path), "%s/usb_gadget/%s/UDC", cfg->configfs, e->d_name) < 0 ||
		    ka_fs_read_attr(path, bound, sizeof(bound)) < 0 || strcmp(bound, udc) != 0)
			continue;
		ka_errbuf_set(eb, "controller %s is in use by the gadget '%s' of another program", udc, e->d_name);
		ret = -EBUSY;
	}
	closedir(dir);
	return ret;
}

bool ka_gadget_tree_bound(const struct ka_hid_cfg *cfg, const char *udc)
{
	char path[PATH_MAX];
	char bound[256];

	if (ka_str_format(path, sizeof(path), "%s/%s", cfg->udc_class, udc) < 0 || access(path, F_OK) < 0)
		return false;
	if (ka_str_format(path, sizeof(path), "%s/usb_gadget/%s/UDC", cfg->configfs, cfg->gadget) < 0 ||
	    ka_fs_read_attr(path, bound, sizeof(bound)) < 0)
		return false;
	return !strcmp(bound, udc);
}

/* Calls fn for every folder (S_IFDIR) or link (S_IFLNK) in a folder; 0 when there is no such folder. */
static int for_each(const char *dir_path, mode_t type, int (*fn)(const char *path))
{
	DIR *dir = opendir(dir_path);
	const struct dirent *e;
	int ret = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (!ret && (e = readdir(dir))) {
		char path[PATH_MAX];
		struct stat st;

		if (e->d_name[0] == '.' || ka_str_format(path, sizeof(path), "%s/%s", dir_path, e->d_name) < 0 ||
		    lstat(path, &st) < 0 || (st.st_mode & S_IFMT) != type)
			continue;
		ret = fn(path);
	}
	closedir(dir);
	return ret;
}

static int remove_link(const char *path)
{
	return unlink(path) < 0 ? -errno : 0;
}

static int remove_dir(const char *path)
{
	return rmdir(path) < 0 ? -errno : 0;
}

static int for_each_below(const char *path, const char *name, mode_t type, int (*fn)(const char *path))
{
	char below[PATH_MAX];

	if (ka_str_format(below, sizeof(below), "%s/%s", path, name) < 0)
		return -ENAMETOOLONG;
	return for_each(below, type, fn);
}

static int remove_config(const char *path)
{
	int ret = for_each(path, S_IFLNK, remove_link);

	if (!ret)
		ret = for_each_below(path, "strings", S_IFDIR, remove_dir);
	return ret < 0 ? ret : remove_dir(path);
}

/* In the kernel's order: Documentation/usb/gadget_configfs.rst, "Cleaning up". */
int ka_gadget_tree_remove(const struct ka_hid_cfg *cfg)
{
	char path[PATH_MAX];
	char udc[PATH_MAX];
	int ret = ka_str_format(path, sizeof(path), "%s/usb_gadget/%s", cfg->configfs, cfg->gadget);

	if (ret < 0 || ka_str_format(udc, sizeof(udc), "%s/UDC", path) < 0)
		return -ENAMETOOLONG;
	if (access(path, F_OK) < 0)
		return -errno;
	/* Fails when it is not bound; then there is nothing to do. */
	ret = ka_fs_write_attr(udc, "\n");
	if (ret < 0)
		ka_log(DEBUG, "gadget", "not_bound", "cause=\"%s\"", ka_err_str(ret));
	ret = for_each_below(path, "configs", S_IFDIR, remove_config);
	if (!ret)
		ret = for_each_below(path, "functions", S_IFDIR, remove_dir);
	if (!ret)
		ret = for_each_below(path, "strings", S_IFDIR, remove_dir);
	return ret < 0 ? ret : remove_dir(path);
}
