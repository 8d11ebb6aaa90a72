/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Encoders and their streams, made, used and freed: 0, or why not. */
#ifndef OOM_CODECS_H
#define OOM_CODECS_H

int oom_encode_vp9(void);
int oom_encode_vp9_444(void);
int oom_encode_vp8(void);
int oom_make_streams(void);

#endif
