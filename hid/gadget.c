/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/gadget.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <usbg/function/hid.h>
#include <usbg/usbg.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "hid/gadget_tree.h"
#include "hid/report_desc.h"

#define DEVICE_RELEASE 0x0100
/* Bus-powered, remote wake-up (USB 2.0 table 9-10; bit 7 is always set). */
#define CONFIG_ATTRIBUTES 0xa0
#define DESC_MAX 256

struct ka_gadget {
	const struct ka_hid_cfg *cfg;
	char udc[128];
	unsigned int count;
	dev_t nodes[KA_REPORT_FUNCTIONS];
};

static int errno_of(int usbg_error)
{
	switch (usbg_error) {
	case USBG_SUCCESS:
		return 0;
	case USBG_ERROR_NO_MEM:
		return -ENOMEM;
	case USBG_ERROR_NO_ACCESS:
		return -EACCES;
	case USBG_ERROR_NOT_FOUND:
		return -ENOENT;
	case USBG_ERROR_EXIST:
		return -EEXIST;
	case USBG_ERROR_NO_DEV:
		return -ENODEV;
	case USBG_ERROR_BUSY:
		return -EBUSY;
	case USBG_ERROR_NOT_SUPPORTED:
		return -ENOTSUP;
	case USBG_ERROR_NOT_EMPTY:
		return -ENOTEMPTY;
	case USBG_ERROR_PATH_TOO_LONG:
		return -ENAMETOOLONG;
	case USBG_ERROR_INVALID_PARAM:
	case USBG_ERROR_INVALID_VALUE:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static int take_over(const struct ka_hid_cfg *cfg, struct ka_errbuf *eb)
{
	int ret = ka_gadget_tree_remove(cfg);

	if (!ret)
		ka_log(WARN, "gadget", "leftover_removed", "name=%s", cfg->gadget);
	if (ret < 0 && ret != -ENOENT) {
		ka_errbuf_set(eb, "cannot remove the leftover gadget %s/usb_gadget/%s: %s", cfg->configfs, cfg->gadget,
			      ka_err_str(ret));
		return ret;
	}
	return 0;
}

/* With an OUT endpoint some firmware and switches do not start a keyboard at all; without it LEDs come by SET_REPORT.
 * Kernels before 5.16 have no such attribute, and libusbgx 0.2 does not know it. */
static void set_no_out_endpoint(const struct ka_hid_cfg *cfg, const char *name)
{
	char path[PATH_MAX];
	int ret = ka_str_format(path, sizeof(path), "%s/usb_gadget/%s/functions/hid.%s/no_out_endpoint", cfg->configfs,
				cfg->gadget, name);

	if (!ret)
		ret = ka_fs_write_attr(path, "1");
	if (ret < 0)
		ka_log(DEBUG, "gadget", "out_endpoint_stays", "function=%s cause=\"%s\"", name, ka_err_str(ret));
}

/* One attribute at a time: usbg_f_hid_set_attrs() reads past the end of the struct it is given. */
static int set_attributes(usbg_f_hid *hid, const struct ka_report_desc *d)
{
	char desc[DESC_MAX];
	int ret = usbg_f_hid_set_protocol(hid, d->protocol);

	memcpy(desc, d->desc, KA_MIN(d->desc_len, sizeof(desc)));
	if (ret == USBG_SUCCESS)
		ret = usbg_f_hid_set_subclass(hid, d->subclass);
	if (ret == USBG_SUCCESS)
		ret = usbg_f_hid_set_report_length(hid, d->report_length);
	if (ret == USBG_SUCCESS)
		ret = usbg_f_hid_set_report_desc_raw(hid, desc, (unsigned int)d->desc_len);
	return errno_of(ret);
}

static int add_function(struct ka_gadget *g, usbg_gadget *gadget, usbg_config *config, unsigned int function)
{
	const struct ka_report_desc *d = ka_report_desc_of(function);
	usbg_function *f = NULL;
	usbg_f_hid *hid;
	int ret = errno_of(usbg_create_function(gadget, USBG_F_HID, d->name, NULL, &f));

	if (ret < 0)
		return ret;
	hid = usbg_to_hid_function(f);
	ret = set_attributes(hid, d);
	if (ret < 0)
		return ret;
	set_no_out_endpoint(g->cfg, d->name);
	ret = errno_of(usbg_f_hid_get_dev(hid, &g->nodes[function]));
	if (ret < 0)
		return ret;
	return errno_of(usbg_add_config_function(config, d->name, f));
}

static char *text_or_null(const char *text)
{
	return text && text[0] ? (char *)(uintptr_t)text : NULL;
}

static int add_config(const struct ka_hid_cfg *cfg, usbg_gadget *gadget, usbg_config **config)
{
	struct usbg_config_strs strs = {.configuration = text_or_null(cfg->product)};
	int ret = usbg_create_config(gadget, 1, "c", NULL, strs.configuration ? &strs : NULL, config);

	if (ret == USBG_SUCCESS)
		ret = usbg_set_config_bm_attrs(*config, CONFIG_ATTRIBUTES);
	/* In mA: the kernel halves it. */
	if (ret == USBG_SUCCESS)
		ret = usbg_set_config_max_power(*config, (int)cfg->max_power_ma);
	return errno_of(ret);
}

/* Adds the functions 0..count-1; fewer when the kernel has no device number for the later ones (HIDG_MINORS). */
static int compose(struct ka_gadget *g, usbg_state *state, unsigned int count, struct ka_errbuf *eb)
{
	const struct ka_hid_cfg *cfg = g->cfg;
	struct usbg_gadget_attrs attrs = {.bcdUSB = 0x0200,
					  .bMaxPacketSize0 = 64,
					  .idVendor = cfg->vendor_id,
					  .idProduct = cfg->product_id,
					  .bcdDevice = DEVICE_RELEASE};
	struct usbg_gadget_strs strs = {.manufacturer = text_or_null(cfg->manufacturer),
					.product = text_or_null(cfg->product),
					.serial = text_or_null(cfg->serial)};
	usbg_gadget *gadget = NULL;
	usbg_config *config = NULL;
	int ret = errno_of(usbg_create_gadget(state, cfg->gadget, &attrs, &strs, &gadget));

	g->count = 0;
	if (!ret)
		ret = add_config(cfg, gadget, &config);
	if (ret < 0) {
		ka_errbuf_set(eb, "cannot create the gadget '%s': %s", cfg->gadget, ka_err_str(ret));
		return ret;
	}
	while (g->count < count) {
		ret = add_function(g, gadget, config, g->count);
		if (ret < 0)
			break;
		g->count++;
	}
	if (g->count)
		return 0;
	ka_errbuf_set(eb, "cannot create a HID function (modprobe usb_f_hid): %s", ka_err_str(ret));
	return ret;
}

/* libusbgx knows controllers of /sys/class/udc as they were at usbg_init() only, and blurs the errno that says why. */
static int bind_gadget(const struct ka_hid_cfg *cfg, const char *udc, struct ka_errbuf *eb)
{
	char path[PATH_MAX];
	int ret = ka_str_format(path, sizeof(path), "%s/usb_gadget/%s/UDC", cfg->configfs, cfg->gadget);

	if (!ret)
		ret = ka_fs_write_attr(path, udc);
	if (ret < 0)
		ka_errbuf_set(eb, "cannot bind the gadget to %s: %s", udc,
			      ret == -EBUSY ? "another driver holds it" : ka_err_str(ret));
	return ret;
}

static int build(struct ka_gadget *g, const char *udc, unsigned int count, struct ka_errbuf *eb)
{
	usbg_state *state = NULL;
	int ret = errno_of(usbg_init(g->cfg->configfs, &state));

	if (ret < 0) {
		ka_errbuf_set(eb, "libusbgx cannot read the gadgets in %s/usb_gadget: %s", g->cfg->configfs,
			      ka_err_str(ret));
		return ret;
	}
	ret = compose(g, state, count, eb);
	usbg_cleanup(state);
	if (!ret)
		ret = bind_gadget(g->cfg, udc, eb);
	if (ret < 0)
		ka_gadget_tree_remove(g->cfg);
	return ret;
}

int ka_gadget_new(struct ka_gadget **out, const struct ka_hid_cfg *cfg, const char *udc, struct ka_errbuf *eb)
{
	struct ka_gadget *g = calloc(1, sizeof(*g));
	unsigned int count = KA_REPORT_FUNCTIONS;
	int ret;

	if (!g)
		return -ENOMEM;
	g->cfg = cfg;
	ret = ka_gadget_tree_check(cfg, eb);
	if (!ret && !ka_str_copy(g->udc, sizeof(g->udc), udc))
		ret = -ENAMETOOLONG;
	if (!ret)
		ret = ka_gadget_tree_foreign(cfg, udc, eb);
	if (!ret)
		ret = take_over(cfg, eb);
	if (!ret)
		ret = build(g, udc, count, eb);
	/* Which errno means "not enough endpoints" is the controller driver's choice. */
	while (ret < 0 && g->count > 1 && ret != -EBUSY && ret != -ENOMEM)
		ret = build(g, udc, g->count - 1, eb);
	if (ret < 0) {
		free(g);
		return ret;
	}
	for (unsigned int i = g->count; i < KA_REPORT_FUNCTIONS; i++)
		ka_log(WARN, "gadget", "left_out", "function=%s udc=%s", ka_report_name(i), udc);
	ka_log(INFO, "gadget", "bound", "name=%s udc=%s functions=%u", cfg->gadget, udc, g->count);
	*out = g;
	return 0;
}

void ka_gadget_free(struct ka_gadget *g)
{
	int ret;

	if (!g)
		return;
	ret = ka_gadget_tree_remove(g->cfg);
	if (ret < 0 && ret != -ENOENT)
		ka_log(ERROR, "gadget", "not_removed", "name=%s cause=\"%s\"", g->cfg->gadget, ka_err_str(ret));
	else
		ka_log(INFO, "gadget", "removed", "name=%s", g->cfg->gadget);
	free(g);
}

bool ka_gadget_bound(const struct ka_gadget *g)
{
	return ka_gadget_tree_bound(g->cfg, g->udc);
}

unsigned int ka_gadget_count(const struct ka_gadget *g)
{
	return g->count;
}

int ka_gadget_node(const struct ka_gadget *g, unsigned int function, const char *dev_dir, char *path, size_t path_size)
{
	const struct dirent *e;
	int ret = -ENOENT;
	DIR *dir;

	if (function >= g->count)
		return -ENOENT;
	dir = opendir(dev_dir);
	if (!dir)
		return -errno;
	/* The number is the kernel's, the name may be anybody's; other programs' gadgets have nodes here too. */
	while (ret < 0 && (e = readdir(dir))) {
		struct stat st;

		if (strncmp(e->d_name, "hidg", 4) != 0 ||
		    ka_str_format(path, path_size, "%s/%s", dev_dir, e->d_name) < 0 || stat(path, &st) < 0)
			continue;
		if (S_ISCHR(st.st_mode) && st.st_rdev == g->nodes[function])
			ret = 0;
	}
	closedir(dir);
	return ret;
}
