/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *ka_err_str(int err)
{
	switch (-err) {
	case KA_E_NO_DEVICE:
		return "no capture device";
	case KA_E_NO_CABLE:
		return "no cable";
	case KA_E_NO_SIGNAL:
		return "no signal";
	case KA_E_BLANK:
		return "the picture has one colour only";
	case KA_E_NO_SYNC:
		return "no sync";
	case KA_E_OUT_OF_RANGE:
		return "mode out of range";
	case KA_E_FORMAT:
		return "unsupported format";
	case KA_E_SOURCE_CHANGED:
		return "source changed";
	case KA_E_TOO_BIG:
		return "limit exceeded";
	case KA_E_PEER:
		return "protocol error by the peer";
	case KA_E_AUTH:
		return "not authenticated";
	case KA_E_CONFIG:
		return "bad configuration";
	case KA_E_LIMIT:
		return "too many";
	default:
		return strerrordesc_np(-err) ? strerrordesc_np(-err) : "unknown error";
	}
}

void ka_errbuf_set(struct ka_errbuf *eb, const char *fmt, ...)
{
	va_list ap;

	if (!eb)
		return;
	va_start(ap, fmt);
	vsnprintf(eb->text, sizeof(eb->text), fmt, ap);
	va_end(ap);
}
