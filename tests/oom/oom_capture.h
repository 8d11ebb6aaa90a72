/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of capture/, made, used and freed: 0, or why not. */
#ifndef OOM_CAPTURE_H
#define OOM_CAPTURE_H

int oom_make_png(void);
int oom_prepare_pictures(void);
int oom_take_snapshot(void);
int oom_encode_vp9(void);
int oom_encode_vp9_444(void);
int oom_encode_vp8(void);
int oom_make_streams(void);

#endif
