/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of a session: shared by the files of session/ only. Owner: the session's thread, but for the atomics. */
#ifndef KA_SESSION_PRIV_H
#define KA_SESSION_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/loop.h"
#include "base/thread.h"
#include "proto/message.pb-c.h"
#include "rustdesk/session/chat_room.h"
#include "rustdesk/session/codec.h"
#include "rustdesk/session/keymap.h"
#include "rustdesk/session/qos.h"
#include "rustdesk/session/scope.h"
#include "rustdesk/session/session.h"
#include "rustdesk/wire/addr.h"
#include "rustdesk/wire/conn.h"
#include "rustdesk/wire/keys.h"
#include "rustdesk/wire/pb.h"

/* Before login a peer is nobody: a LoginRequest with an avatar is some tens of KiB. */
#define KA_SES_IN_LIMIT_LOGIN (64u * 1024)
#define KA_SES_IN_LIMIT_ACTIVE (4u * 1024 * 1024)
#define KA_SES_PB_BUDGET_LOGIN (256u * 1024)
#define KA_SES_PB_BUDGET_ACTIVE (8u * 1024 * 1024)
/* One key picture at the largest size fits; a peer that does not read ends here. */
#define KA_SES_OUT_LIMIT_ACTIVE (16u * 1024 * 1024)
#define KA_SES_OUT_LIMIT_LOGIN (64u * 1024)
/* A user who takes minutes to type a password echoes some hundreds of TestDelays meanwhile. */
#define KA_SES_EARLY_MESSAGES 1000u
#define KA_SES_CHALLENGE_LEN 6

enum ka_ses_state { KA_SES_HANDSHAKE, KA_SES_LOGIN, KA_SES_ACTIVE, KA_SES_ENDING };

/* One display of the target, as this controller knows it. */
struct ka_ses_display {
	const char *name;
	int32_t x, y;		/* announced to the controller, pixels of the whole desktop */
	uint32_t width, height; /* announced to the controller, pixels */
	bool off;		/* no part of the target's desktop, as far as is known */
	bool wanted;		/* the controller watches it */
	int64_t stop_at_us;	/* it does not any more, and has not come back by then; 0 = no such time */
	void *viewer;		/* of the host; NULL = not watching: neither wanted nor waiting for that time */
	struct ka_hub_sub *sub;
	struct ka_host_wish wish; /* its share of what the link carries */
	uint8_t rendition;	  /* of the last picture */
	int64_t pts_ms;		  /* of the last picture */
	int64_t pts_least;	  /* renditions are encoded side by side: the first of another one may be the older */
	bool fresh;		  /* nothing has been sent since the decoder's last start */
	int64_t next_key_request_us; /* back-off for a peer that keeps falling behind */
	int64_t key_backoff_us;
};

/* What goes for all displays together: they share the link. */
struct ka_ses_video {
	struct ka_ses_display displays[KA_HOST_DISPLAYS_MAX];
	size_t n_displays;	/* 0 before login */
	size_t current;		/* the one that the controller switched to last */
	size_t turn;		/* whose picture is looked for first */
	bool one_at_a_time;	/* clients of old: who switches to a display does not watch the one before */
	uint32_t ratio_percent; /* of the base bitrate, from the image quality; 0 = default */
	uint32_t custom_fps, auto_fps;
	struct ka_codec_ability ability; /* of the controller */
	struct ka_codec_list codecs;	 /* what there was when the controller was told last */
	enum ka_codec codec;		 /* what all displays are sent in */
	int32_t prefer;			 /* codec chosen in the controller's menu; 0 = none */
	struct ka_qos qos;
	struct ka_qos_wish wish; /* for all displays that are watched */
	bool first_sent;	 /* the controller has been sent a picture: pointer events count from here */
	bool held;		 /* pictures wait for the link, */
	uint64_t acked;		 /* which has carried so many bytes, */
	int64_t moved_us;	 /* the last of them then */
	bool ack_required;	 /* web clients: one picture at a time */
	bool ack_pending;
	int64_t ack_since_us;
	uint64_t sent;
	struct ka_ses_on_way {
		size_t display;
		struct ka_stamps stamps; /* of the last picture while the kernel has not all of it; else 0 */
		int64_t taken_us;
	} on_way;
};

/* What the pointer's range spans: the rectangle around all displays that are on, or around all when none is. */
struct ka_ses_desk {
	int32_t x, y;
	uint32_t width, height;
};

struct ka_ses_input {
	bool enabled;	  /* the controller did not choose view-only */
	bool lock_at_end; /* the controller wants the target locked when it has gone */
	bool left;	  /* nothing more comes from it */
	bool silent;	  /* nothing came for so long that it holds nothing any more */
	struct ka_keymap map;
};

#define KA_SES_SID_MAX 128 /* bytes of a screenshot's name */

struct ka_ses_shot {
	void *job; /* of the host; NULL = none is being made */
	char sid[KA_SES_SID_MAX + 1];
	size_t max_bytes;
	int64_t next_us; /* none is begun before */
	uint64_t sent;	 /* bytes of the connection up to its end; it is on its way until they are acknowledged */
};

/* What a login leaves behind until somebody is in. */
struct ka_ses_login {
	struct ka_gate_claim claim;
	bool wants_code;  /* the password was right: a code is what is missing */
	uint8_t *request; /* the LoginRequest, packed; NULL = none yet */
	size_t request_len;
	bool scoped; /* a LoginRequest has come: the next ones must be for the same */
	uint8_t scope[KA_SCOPE_LEN];
};

struct ka_ses_chat {
	struct ka_chat_seat *seat; /* once in */
	struct ka_chat_rate rate;
};

/* For other threads. */
struct ka_ses_listing {
	pthread_mutex_t lock; /* guards the rest */
	bool shown;
	struct ka_rd_session info;
};

struct ka_session {
	struct ka_session_cfg cfg;
	struct ka_incoming in;
	struct ka_owner owner;
	struct ka_thread thread;
	struct ka_loop loop;
	uv_timer_t tick;     /* once a second */
	uv_timer_t deadline; /* of the state */
	uv_timer_t pace;     /* the link is full: when to try again */
	bool handles_open;
	struct ka_conn *conn;
	struct ka_pb pb;

	enum ka_ses_state state;
	Rd__LoginRequest__UnionCase kind; /* of session, once in; not set = remote desktop */
	char peer_text[KA_ADDR_TEXT];
	struct ka_box_pair box;
	char challenge[KA_SES_CHALLENGE_LEN + 1];
	bool relay_hello;	  /* on KA_PATH_SERVED: heard and ignored */
	bool refused;		  /* for good, and that was logged: its end says nothing new */
	bool limit_logged;	  /* that this peer has met a limit */
	bool entered;		  /* holds a place of the gate */
	struct ka_gate_pass pass; /* once entered */
	char peer_id[64];	  /* escaped for logs */
	char peer_name[64];	  /* escaped for logs */
	const char *end_reason;	  /* for the log; static text */

	unsigned int early_messages; /* heard before login */
	int64_t started_us;
	int64_t last_rx_us;
	int64_t login_us;
	int64_t probe_sent_us; /* TestDelay on its way; 0 = none */
	uint32_t delay_ms;

	struct ka_ses_video video;
	struct ka_ses_input input;
	struct ka_ses_shot shot;
	struct ka_ses_chat chat;

	struct ka_ses_login login;
	struct ka_ses_listing listing;
	int64_t last_input_us; /* a key or the mouse, wanted or not, or the chat */
	atomic_bool approved;  /* any thread */

	_Atomic(const char *) stop_reason; /* any thread */
	atomic_bool asked;		   /* any thread */
	atomic_bool logged_in;		   /* any thread */
	atomic_bool ended;		   /* any thread */
	atomic_bool pk_rejected;	   /* any thread */
};

/* What the password of this session opens; nothing before login. */
static inline bool ka_session_may(const struct ka_session *s, uint32_t permissions)
{
	return s->entered && !(permissions & ~s->pass.permissions);
}

/* session.c: what ka_session_start() and its thread do, in parts, for whoever has a thread already (a fuzz target).
 *
 *   new (any) ─► open (owner) ─► owner runs s->loop until s->loop.stop; not at all when open failed ─► leave (owner)
 *       ─► ka_session_free (any)
 *
 * in->fd is taken over in any case. leave is the last to touch the machine: it calls cfg.ended. */
int ka_session_new(struct ka_session **out, const struct ka_session_cfg *cfg, const struct ka_incoming *in) KA_MUST_USE;
int ka_session_open(struct ka_session *s) KA_MUST_USE;
void ka_session_leave(struct ka_session *s);

int ka_session_send(struct ka_session *s, Rd__Message *msg);
/* Packs misc into a Message. */
int ka_session_send_misc(struct ka_session *s, Rd__Misc *misc);
/* Sends the chat lines, pictures and files that may be sent now; an error ends the session. */
void ka_session_pump(struct ka_session *s);
/* One line that says whom we do not let in. counted: a limit of the gate bounds how many there are; strangers may cause
 * any number of the others, which share a few a second. */
void ka_session_log_refusal(const struct ka_session *s, const char *reason, bool counted);
/* Of lines that anybody can cause by calling: so many at once, then one in so long. */
#define KA_SES_STRANGERS_LINES 60
#define KA_SES_STRANGERS_PERIOD_US 1000000
/* The same of lines that a controller can cause again and again. */
#define KA_SES_REPEATED_LINES 10
#define KA_SES_REPEATED_PERIOD_US 1000000
/* Ends after what is queued had a second to leave. reason: static text for the log. */
void ka_session_end(struct ka_session *s, const char *reason);
/* The controller said good-bye: nothing is left to say. */
void ka_session_bye(struct ka_session *s);
/* Tells the controller why (close_reason), then ends. */
void ka_session_close(struct ka_session *s, const char *reason);
/* Moves to a state with its deadline; ms 0 = none. */
void ka_session_enter(struct ka_session *s, enum ka_ses_state state, uint64_t deadline_ms);

/* handshake.c */
int ka_handshake_start(struct ka_session *s) KA_MUST_USE;
int ka_handshake_message(struct ka_session *s, uint8_t *data, size_t len) KA_MUST_USE;
/* Tells a controller without encryption why it cannot come in, and ends. */
int ka_handshake_refuse_plain(struct ka_session *s, const char *why) KA_MUST_USE;

/* login.c */
int ka_login_start(struct ka_session *s) KA_MUST_USE;
int ka_login_request(struct ka_session *s, const Rd__Message *msg) KA_MUST_USE;
int ka_login_code(struct ka_session *s, const Rd__Message *msg) KA_MUST_USE;
/* Lets in who was approved. */
void ka_login_wake(struct ka_session *s);
/* Once a second: ends who has been idle too long. False when the session is over. */
bool ka_login_tick(struct ka_session *s, int64_t now_us);
/* The last act: gives the place back and forgets. */
void ka_login_leave(struct ka_session *s);

/* listing.c */
void ka_listing_init(struct ka_session *s);
void ka_listing_fini(struct ka_session *s);
/* From now on others see the session: in, or waiting for somebody to let it in. */
void ka_listing_show(struct ka_session *s, bool waiting);

/* peer_info.c */
int ka_peer_info_send_login(struct ka_session *s) KA_MUST_USE;
/* SwitchDisplay: clients throw the display's decoder away. */
int ka_peer_info_send_switch(struct ka_session *s, size_t display) KA_MUST_USE;
/* The whole display list. */
int ka_peer_info_send_list(struct ka_session *s) KA_MUST_USE;

/* dispatch.c */
int ka_dispatch_message(struct ka_session *s, uint8_t *data, size_t len) KA_MUST_USE;

/* video_out.c */
/* The controller watches a display from now on; nothing if it does already. */
int ka_video_start(struct ka_session *s, size_t display) KA_MUST_USE;
/* It does not any more; captured for a moment longer, because each new start costs everybody a key picture, and a
 * window that moves stops and starts. */
void ka_video_leave(struct ka_session *s, size_t display);
/* Once a second: that moment may be over. */
int ka_video_tick(struct ka_session *s, int64_t now_us) KA_MUST_USE;
/* From now on pictures come in the codec that suits what the controller can and what there is. A change begins at a key
 * picture; when the controller cannot decode what it got before, nothing of that follows. -ENOENT: none suits. */
int ka_video_choose_codec(struct ka_session *s) KA_MUST_USE;
/* Watches nothing, at once. */
void ka_video_stop(struct ka_session *s);
/* Sends what may be sent now: called on new packets, drained output, acknowledgements and each tick. */
int ka_video_pump(struct ka_session *s) KA_MUST_USE;
/* For how long pictures have waited for a link that carries nothing. */
int64_t ka_video_stalled_us(const struct ka_session *s, int64_t now_us);
/* The controller starts a fresh decoder: nothing but a key picture may come next. */
void ka_video_restart(struct ka_session *s, size_t display);
void ka_video_update_wish(struct ka_session *s);

/* screenshot.c */
int ka_screenshot_request(struct ka_session *s, const Rd__Message *msg) KA_MUST_USE;
/* Sends one that is done. */
int ka_screenshot_pump(struct ka_session *s) KA_MUST_USE;
/* One is on its way: whatever is sent now comes late, which says nothing about the link. */
bool ka_screenshot_under_way(struct ka_session *s);
void ka_screenshot_drop(struct ka_session *s);

/* misc.c */
int ka_misc_message(struct ka_session *s, const Rd__Message *msg) KA_MUST_USE;

/* options.c */
/* live: the user has just changed something; else it comes with the login. */
int ka_options_apply(struct ka_session *s, const Rd__OptionMessage *o, bool live) KA_MUST_USE;
void ka_options_auto_fps(struct ka_session *s, uint32_t fps);

/* displays.c */
/* Before the controller is told of them. */
void ka_displays_init(struct ka_session *s);
/* One that there is. */
bool ka_displays_have(const struct ka_session *s, int32_t display);
/* add goes before sub goes before set; lists of nothing but displays we do not have say nothing. */
int ka_displays_capture(struct ka_session *s, const Rd__CaptureDisplays *c) KA_MUST_USE;
/* "Show this one." */
int ka_displays_switch(struct ka_session *s, const Rd__SwitchDisplay *to) KA_MUST_USE;
/* Tells its place and size; nothing of one we do not have. */
int ka_displays_query(struct ka_session *s, int32_t display) KA_MUST_USE;
int ka_displays_resize(struct ka_session *s, int32_t display, const Rd__Resolution *size) KA_MUST_USE;
/* Tells the controller when displays have moved, or changed while it does not watch them. */
int ka_displays_follow(struct ka_session *s) KA_MUST_USE;
/* Tells it the size of the next picture. */
int ka_displays_resized(struct ka_session *s, size_t display, uint32_t width, uint32_t height) KA_MUST_USE;
void ka_displays_desk(const struct ka_session *s, struct ka_ses_desk *out);

/* menu.c */
/* A box with a text that the user closes; the session goes on. At most 63 and 159 bytes. */
int ka_menu_say(struct ka_session *s, const char *title, const char *text) KA_MUST_USE;
int ka_menu_block_input(struct ka_session *s, bool on) KA_MUST_USE;
int ka_menu_privacy(struct ka_session *s, char *impl_key) KA_MUST_USE;
int ka_menu_elevate(struct ka_session *s) KA_MUST_USE;
int ka_menu_voice_call(struct ka_session *s, const Rd__Message *msg) KA_MUST_USE;
int ka_menu_restart(struct ka_session *s) KA_MUST_USE;
int ka_menu_switch_sides(struct ka_session *s) KA_MUST_USE;
int ka_menu_virtual_display(struct ka_session *s) KA_MUST_USE;
int ka_menu_codec(struct ka_session *s) KA_MUST_USE;
int ka_menu_show_cursor(struct ka_session *s) KA_MUST_USE;

/* chat.c */
int ka_chat_message(struct ka_session *s, const char *text) KA_MUST_USE;
/* Says something to this controller. */
int ka_chat_answer(struct ka_session *s, const char *text) KA_MUST_USE;
/* From login to the end of the thread. */
int ka_chat_join(struct ka_session *s) KA_MUST_USE;
void ka_chat_leave(struct ka_session *s);
/* Passes on what others said, as far as the output takes it now. */
int ka_chat_pump(struct ka_session *s) KA_MUST_USE;

/* input_in.c */
int ka_input_mouse(struct ka_session *s, const Rd__Message *msg) KA_MUST_USE;
int ka_input_key(struct ka_session *s, const Rd__Message *msg) KA_MUST_USE;
enum ka_key_codes ka_input_codes(enum ka_rd_platform platform);
void ka_input_release(struct ka_session *s);
/* Each second: a controller of whom nothing is heard for 3 s, not even an echo of TestDelay, holds nothing any more.
 * Its texts go on. */
void ka_input_watch_silence(struct ka_session *s, int64_t now);
/* The last of its input: lets go of everything, and locks the target if the controller wished so. Once. */
void ka_input_leave(struct ka_session *s);

#endif
