/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine for sessions to run on: displays with a real hub each but no encoder, and a list of the input that
 * arrived. Any thread. */
#ifndef KA_FAKE_HOST_H
#define KA_FAKE_HOST_H

#include <pthread.h>

#include "rustdesk/host.h"

#define FAKE_HOST_INPUTS 4096

struct fake_host {
	struct ka_host host; /* what a session gets */
	struct ka_hub *hubs[KA_HOST_DISPLAYS_MAX];
	size_t n_displays;    /* 1, unless set before sessions exist */
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	struct ka_stages stages; /* of the pictures that sessions have sent; needs no lock */
	struct ka_host_display displays[KA_HOST_DISPLAYS_MAX];
	struct ka_host_wish wishes[KA_HOST_DISPLAYS_MAX]; /* the latest */
	unsigned int watched, unwatched, keys_requested;
	unsigned int watching[KA_HOST_DISPLAYS_MAX],
		keys[KA_HOST_DISPLAYS_MAX]; /* the same by display; watching: now */
	int watch_error;		    /* what watch answers, 0 = works */
	struct ka_codec_list codecs;	    /* all, H.264 first, unless set */
	int shot_error;			    /* what snapshot answers, 0 = works */
	unsigned int shots, shots_dropped;
	size_t shot_display; /* of the last one */
	size_t shot_max;     /* of the last one */
	bool shot_done;
	int shot_result;
	struct ka_bytes shot_png; /* of result 0; the taker's */
	struct ka_wake shot_wake;
	struct ka_input inputs[FAKE_HOST_INPUTS]; /* texts are owned until fini */
	unsigned int n_inputs;
	const char *console_answer;
	char console_line[8192]; /* the latest */
	struct ka_host_caller console_caller;
	unsigned int console_calls;
	unsigned int restarts;
	int restart_result;
	const struct ka_video_mode *modes;
	size_t n_modes;
	struct ka_video_mode set_mode; /* the latest, */
	size_t set_display;	       /* and of which */
	unsigned int modes_set;
};

int fake_host_init(struct fake_host *h);
void fake_host_fini(struct fake_host *h);
/* As the encoder of a display would; size bytes of pts. */
void fake_host_publish_on(struct fake_host *h, size_t display, int64_t pts_ms, bool key, uint32_t width,
			  uint32_t height, size_t size);
/* Of display 0, in a codec. */
void fake_host_publish_as(struct fake_host *h, enum ka_codec codec, int64_t pts_ms, bool key);
/* Of display 0. */
void fake_host_publish(struct fake_host *h, int64_t pts_ms, bool key, uint32_t width, uint32_t height, size_t size);
/* The screenshot being made is done: a file of so many bytes, or why there is none. */
void fake_host_finish_shot(struct fake_host *h, int result, size_t size);
/* Waits until so many have been asked for, or dropped; false after 20 s. */
bool fake_host_wait_shots(struct fake_host *h, unsigned int n);
bool fake_host_wait_shots_dropped(struct fake_host *h, unsigned int n);
/* Waits until so many input events, requests for key pictures, departures or a wish for this
 * codec have been seen; false after 20 s. */
bool fake_host_wait_inputs(struct fake_host *h, unsigned int n);
bool fake_host_wait_keys(struct fake_host *h, unsigned int n);
bool fake_host_wait_codec(struct fake_host *h, enum ka_codec codec);
bool fake_host_wait_unwatched(struct fake_host *h, unsigned int n);
unsigned int fake_host_count(struct fake_host *h, const unsigned int *what);
struct ka_input fake_host_input(struct fake_host *h, unsigned int i);
/* Of display 0. */
struct ka_host_wish fake_host_wish(struct fake_host *h);
struct ka_host_wish fake_host_wish_on(struct fake_host *h, size_t display);
/* From now on there are so many displays, 1280x720 and side by side. Before sessions exist. */
void fake_host_give_displays(struct fake_host *h, size_t n);
/* A display's place and size are others now. */
void fake_host_place(struct fake_host *h, size_t display, int32_t x, int32_t y, uint32_t width, uint32_t height);
bool fake_host_wait_keys_on(struct fake_host *h, size_t display, unsigned int n);
/* From now on it has a wire to the reset button. Before sessions exist. */
void fake_host_give_restart(struct fake_host *h);
/* From now on the target can be asked for these. Before sessions exist. */
void fake_host_give_modes(struct fake_host *h, const struct ka_video_mode *modes, size_t n);
/* From now on it takes commands and gives each this answer. Before sessions exist. */
void fake_host_give_console(struct fake_host *h, const char *answer);

#endif
