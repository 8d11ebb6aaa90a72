/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all viewers want, merged into at most two renditions for each codec. One: least fps, highest kbps. A narrow one,
 * for those on narrow links that want clearly less than somebody else, bits or pictures: least fps, least kbps. Any
 * thread; the stages read, viewers write.
 */
#ifndef KA_WISHES_H
#define KA_WISHES_H

#include "capture/capture.h"

struct ka_wishes;

/* One viewer's place in the list; embedded in the viewer. */
struct ka_wish_entry {
	struct ka_video_wish wish;
	unsigned int rendition;
	struct ka_wish_entry *next;
};

struct ka_wishes_now {
	unsigned int viewers;
	uint32_t kbps; /* 0: nobody names one */
	uint32_t fps;  /* 0: nobody names one */
	bool narrow;   /* a link, not a user, decides on kbps */
};

enum ka_key_wish {
	KA_KEY_NONE,
	KA_KEY_ASKED, /* somebody lost the thread: soon */
	KA_KEY_JOIN,  /* somebody sees nothing yet: at once */
};

int ka_wishes_new(struct ka_wishes **out) KA_MUST_USE;
void ka_wishes_free(struct ka_wishes *w); /* NULL is fine */
/* The rendition for a viewer with this wish; e: NULL = a newcomer. */
unsigned int ka_wishes_suits(struct ka_wishes *w, const struct ka_wish_entry *e, const struct ka_video_wish *wish);
/* Adds a viewer, into e->rendition, and its need of a key picture. */
void ka_wishes_add(struct ka_wishes *w, struct ka_wish_entry *e, const struct ka_video_wish *wish);
/* From now on the viewer wants this of a rendition for this codec; when it is another one, its key picture has been
 * asked for. */
void ka_wishes_set(struct ka_wishes *w, struct ka_wish_entry *e, const struct ka_video_wish *wish,
		   unsigned int rendition);
void ka_wishes_remove(struct ka_wishes *w, struct ka_wish_entry *e);
void ka_wishes_ask_key(struct ka_wishes *w, const struct ka_wish_entry *e);
void ka_wishes_get(struct ka_wishes *w, unsigned int rendition, struct ka_wishes_now *out);
/* The strongest wish since the last call. */
enum ka_key_wish ka_wishes_take_key(struct ka_wishes *w, unsigned int rendition);

#endif
