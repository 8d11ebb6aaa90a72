/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/permissions.h"

#include "base/attr.h"

/* What controllers know and a KVM never gives: clipboard, blocked local input, privacy mode. */
enum { CLIPBOARD = 1 << 16, BLOCK_INPUT = 1 << 17, PRIVACY = 1 << 18 };

static const struct {
	Rd__PermissionInfo__Permission wire;
	uint32_t bit;
} order[] = {
	{RD__PERMISSION_INFO__PERMISSION__KEYBOARD, KA_RD_MAY_KEYBOARD},
	{RD__PERMISSION_INFO__PERMISSION__CLIPBOARD, CLIPBOARD},
	{RD__PERMISSION_INFO__PERMISSION__AUDIO, KA_RD_MAY_AUDIO},
	{RD__PERMISSION_INFO__PERMISSION__FILE, KA_RD_MAY_FILES},
	{RD__PERMISSION_INFO__PERMISSION__RESTART, KA_RD_MAY_POWER},
	{RD__PERMISSION_INFO__PERMISSION__RECORDING, KA_RD_MAY_RECORD},
	{RD__PERMISSION_INFO__PERMISSION__BLOCK_INPUT, BLOCK_INPUT},
	{RD__PERMISSION_INFO__PERMISSION__PRIVACY_MODE, PRIVACY},
};

uint32_t ka_permissions_device(const struct ka_host *host)
{
	return KA_RD_MAY_KEYBOARD | KA_RD_MAY_RECORD | (host->restart ? (uint32_t)KA_RD_MAY_POWER : 0);
}

uint32_t ka_permissions_offered(const struct ka_rd_cfg *rd, const struct ka_host *host)
{
	uint32_t all = rd->permissions;

	for (size_t i = 0; i < rd->n_access; i++)
		all |= rd->access[i].permissions;
	return all & ka_permissions_device(host);
}

size_t ka_permissions_denied(Rd__PermissionInfo__Permission out[static KA_PERMISSIONS_MAX], uint32_t believed,
			     uint32_t given)
{
	size_t n = 0;

	for (size_t i = 0; i < KA_ARRAY_LEN(order); i++) {
		if (believed & order[i].bit & ~given)
			out[n++] = order[i].wire;
	}
	return n;
}

const char *ka_permissions_refuse(Rd__LoginRequest__UnionCase kind, uint32_t given)
{
	switch (kind) {
	case RD__LOGIN_REQUEST__UNION_FILE_TRANSFER:
		return given & KA_RD_MAY_FILES ? NULL : "No permission of file transfer";
	case RD__LOGIN_REQUEST__UNION_PORT_FORWARD:
		return given & KA_RD_MAY_TUNNEL ? NULL : "No permission of IP tunneling";
	case RD__LOGIN_REQUEST__UNION_TERMINAL:
		return given & KA_RD_MAY_TERMINAL ? NULL : "No permission of terminal";
	case RD__LOGIN_REQUEST__UNION_VIEW_CAMERA:
		return "No permission of viewing camera";
	default:
		return NULL;
	}
}
