/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/encoder.h"

const struct ka_encoder_ops *ka_encoder_find(const struct ka_encoder_ops *const *list, enum ka_codec codec)
{
	for (; *list; list++) {
		if ((*list)->codec == codec)
			return *list;
	}
	return NULL;
}
