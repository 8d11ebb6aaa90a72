/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/fake_configfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attr.h"

static struct fake_configfs *active;

static void make_dir(const char *path, const char *name)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s/%s", path, name);
	syscall(SYS_mkdirat, AT_FDCWD, full, 0755);
}

static void make_file(const char *path, const char *name, const char *content)
{
	char full[PATH_MAX];
	int fd;

	snprintf(full, sizeof(full), "%s/%s", path, name);
	fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, content, strlen(content)) < 0)
		abort();
	close(fd);
}

static void make_files(const char *path, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		make_file(path, names[i], "0\n");
}

static void fill_gadget(const char *path)
{
	static const char *const attrs[] = {"bDeviceClass", "bDeviceProtocol", "bDeviceSubClass", "bMaxPacketSize0",
					    "bcdDevice",    "bcdUSB",	       "idProduct",	  "idVendor"};
	char udc[PATH_MAX];

	make_files(path, attrs, KA_ARRAY_LEN(attrs));
	make_dir(path, "configs");
	make_dir(path, "functions");
	make_dir(path, "strings");
	make_dir(path, "os_desc");
	if (!active->bind_fails) {
		make_file(path, "UDC", "");
		return;
	}
	snprintf(udc, sizeof(udc), "%s/UDC", path);
	if (symlink("/dev/full", udc) < 0)
		abort();
}

static int fill_function(const char *path)
{
	static const char *const attrs[] = {"protocol", "report_length", "subclass"};

	if (active->no_hid || !active->hid_functions) {
		syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
		errno = active->no_hid ? ENOENT : ENODEV;
		return -1;
	}
	active->hid_functions--;
	make_files(path, attrs, KA_ARRAY_LEN(attrs));
	make_file(path, "report_desc", "");
	/* /dev/null's number, so that a node of that number can be found without being root. */
	make_file(path, "dev", "1:3\n");
	if (!active->old_kernel)
		make_file(path, "no_out_endpoint", "0\n");
	return 0;
}

/* Path components below <root>/usb_gadget, 0 when it is elsewhere. */
static unsigned int depth_of(const char *path, const char **last_group)
{
	size_t root_len = active ? strlen(active->root) : 0;
	unsigned int depth = 0;

	*last_group = "";
	if (!active || strncmp(path, active->root, root_len) != 0 || strncmp(path + root_len, "/usb_gadget/", 12) != 0)
		return 0;
	for (const char *p = path + root_len + 12; *p;) {
		depth++;
		if (depth % 2 == 0)
			*last_group = p;
		p += strcspn(p, "/");
		p += strspn(p, "/");
	}
	return depth;
}

static bool in_group(const char *group, const char *name)
{
	return !strncmp(group, name, strlen(name)) && group[strlen(name)] == '/';
}

int mkdir(const char *path, mode_t mode)
{
	const char *group;
	unsigned int depth = depth_of(path, &group);

	if (syscall(SYS_mkdirat, AT_FDCWD, path, mode) < 0)
		return -1;
	if (depth == 1) {
		fill_gadget(path);
	} else if (depth == 3 && in_group(group, "functions")) {
		return fill_function(path);
	} else if (depth == 3 && in_group(group, "configs")) {
		static const char *const attrs[] = {"MaxPower", "bmAttributes"};

		make_files(path, attrs, KA_ARRAY_LEN(attrs));
		make_dir(path, "strings");
	} else if (depth == 3 && in_group(group, "strings")) {
		static const char *const attrs[] = {"manufacturer", "product", "serialnumber"};

		make_files(path, attrs, KA_ARRAY_LEN(attrs));
	} else if (depth == 5 && in_group(group, "strings")) {
		make_file(path, "configuration", "");
	}
	return 0;
}

/* What was made by hand in it: links of functions, and folders in the default groups. */
static bool in_use(const char *path, unsigned int depth)
{
	static const char *const groups[] = {"configs", "functions", "strings", "os_desc"};
	DIR *dir = opendir(path);
	const struct dirent *e;
	bool used = false;

	while (dir && !used && (e = readdir(dir))) {
		char full[PATH_MAX];
		bool group = false;

		if (e->d_name[0] == '.')
			continue;
		snprintf(full, sizeof(full), "%s/%s", path, e->d_name);
		for (size_t i = 0; i < KA_ARRAY_LEN(groups); i++)
			group |= e->d_type == DT_DIR && !strcmp(e->d_name, groups[i]);
		if (group)
			used = in_use(full, depth + 1);
		else
			used = e->d_type == DT_DIR || (e->d_type == DT_LNK && strcmp(e->d_name, "UDC") != 0);
	}
	if (dir)
		closedir(dir);
	return used;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, type == FTW_DP ? AT_REMOVEDIR : 0);
}

int rmdir(const char *path)
{
	const char *group;
	unsigned int depth = depth_of(path, &group);

	if (!depth)
		return (int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
	if (in_use(path, depth)) {
		errno = ENOTEMPTY;
		return -1;
	}
	if (depth == 3 && in_group(group, "functions"))
		active->hid_functions++;
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void fake_configfs_begin(struct fake_configfs *f)
{
	snprintf(f->root, sizeof(f->root), "/tmp/ka-configfs-XXXXXX");
	if (!mkdtemp(f->root))
		abort();
	make_dir(f->root, "usb_gadget");
	active = f;
}

void fake_configfs_end(void)
{
	const char *root = active->root;

	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	active = NULL;
}
