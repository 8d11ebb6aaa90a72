/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Section `video` and its list `displays`: keys, what no single key can tell, and what they come to. Pure but for a
 * look at which files are the same device. */
#ifndef KA_CONFIG_VIDEO_H
#define KA_CONFIG_VIDEO_H

#include "agent/config.h"
#include "agent/config_reader.h"
#include "agent/config_tables.h"

/* The section, over struct ka_config_raw. */
extern const struct ka_config_key ka_config_video_keys[];

/* Fills video and displays, once the whole file has been read: what an entry does not say may stand behind it. */
void ka_config_finish_video(struct ka_config *c, struct ka_config_reader *r, const config_t *cfg,
			    const struct ka_config_raw *raw);

#endif
