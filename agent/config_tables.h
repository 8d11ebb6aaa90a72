/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables that say which keys the configuration has, what they may hold and what they are by default. Pure data but
 * for the readers of lists. */
#ifndef KA_CONFIG_TABLES_H
#define KA_CONFIG_TABLES_H

#include "agent/config_reader.h"
#include "rustdesk/host.h"
#include "rustdesk/rustdesk.h"

struct ka_config_permissions {
	bool keyboard, audio, files, terminal, tunnel, power, recording;
};

#define KA_CONFIG_NO_PLACE INT32_MIN

/* Section `video`, or an entry of its displays. */
struct ka_config_video {
	int source, format, preset;
	const char *device, *edid, *edid_modes, *edid_name, *codecs;
	unsigned int width, height, fps, threads, slate_fps, blank_slate, card_noise;
	/* of an entry alone */
	const char *name; /* NULL = not said */
	int32_t x, y;	  /* KA_CONFIG_NO_PLACE = not said */
};

/* What the tables fill; numbers and words become the folders' own types in finish(). */
struct ka_config_raw {
	const char *state_dir, *runtime_dir, *control_group;
	struct {
		int level;
	} log;
	struct ka_config_video video;
	const config_setting_t *displays[KA_HOST_DISPLAYS_MAX]; /* entries of video.displays */
	size_t n_displays;
	struct {
		int backend, dead_keys;
		const char *record_file, *serial_device, *udc, *gadget, *manufacturer, *product, *serial, *layout;
		unsigned int serial_baud, vendor_id, product_id, max_power_ma, type_interval_ms, hold_ms;
	} hid;
	struct {
		const char *chip, *power_line, *reset_line, *led_line;
		bool active_low;
		unsigned int press_ms, hold_ms;
	} power;
	struct {
		const char *id, *password, *password_hash, *totp_secret, *allow_addresses, *allow_ids, *server, *relay,
			*key, *hostname, *username, *version;
		unsigned int otp_length, max_sessions, trusted_days, idle_minutes;
		bool direct, lan_discovery, otp_numeric, approval;
		struct ka_config_permissions permissions;
		struct ka_rd_access *access; /* n_access of KA_RD_MAX_ACCESS */
		size_t n_access;
		const char *direct_address;
		uint16_t direct_port, lan_port;
		int encryption, platform;
		struct {
			bool enabled;
			const char *address, *public_address;
			uint16_t port, session_port;
			struct ka_rd_peer *peers; /* n_peers of KA_RD_MAX_PEERS */
			size_t n_peers;
		} serve;
	} rustdesk;
};

/* As bits of enum ka_rd_permission. */
uint32_t ka_config_permission_bits(const struct ka_config_permissions *p);

extern const struct ka_config_key ka_config_top_keys[];
extern const struct ka_config_raw ka_config_defaults;

#endif
