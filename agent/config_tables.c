/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/config_tables.h"

#include <limits.h>
#include <sodium.h>
#include <string.h>

#include "agent/config_check.h"
#include "agent/config_video.h"
#include "base/log.h"
#include "base/str.h"
#include "hid/hid.h"

/* Words of the file; the order is that of the enums. */
static const char *const level_words[] = {"error", "warn", "info", "debug", "trace", NULL};
static const char *const backend_words[] = {"gadget", "record", "none", "ch9329", NULL};
static const char *const dead_keys_words[] = {"none", "common", "linux", "windows", NULL};
static const char *const encryption_words[] = {"required", "optional", NULL};
static const char *const platform_words[] = {"Linux", "Windows", "Mac OS", NULL};

#define AT(field) offsetof(struct ka_config_raw, field)
#define END                                                                                                            \
	{                                                                                                              \
		0                                                                                                      \
	}

static const struct ka_config_key log_keys[] = {
	{"level", KA_KEY_WORD, AT(log.level), .words = level_words},
	END,
};

static const struct ka_config_key hid_keys[] = {
	{"backend", KA_KEY_WORD, AT(hid.backend), .words = backend_words},
	{"record_file", KA_KEY_STRING, AT(hid.record_file), 0, PATH_MAX - 1},
	{"serial_device", KA_KEY_STRING, AT(hid.serial_device), 1, PATH_MAX - 1},
	{"serial_baud", KA_KEY_UINT, AT(hid.serial_baud), 1200, 115200},
	{"udc", KA_KEY_STRING, AT(hid.udc), 0, 64},
	{"gadget", KA_KEY_STRING, AT(hid.gadget), 1, 32},
	{"vendor_id", KA_KEY_UINT, AT(hid.vendor_id), 1, 0xffff},
	{"product_id", KA_KEY_UINT, AT(hid.product_id), 0, 0xffff},
	{"manufacturer", KA_KEY_STRING, AT(hid.manufacturer), 1, 64},
	{"product", KA_KEY_STRING, AT(hid.product), 1, 64},
	{"serial", KA_KEY_STRING, AT(hid.serial), 0, 64},
	{"max_power_ma", KA_KEY_UINT, AT(hid.max_power_ma), 2, 500},
	{"layout", KA_KEY_STRING, AT(hid.layout), 2, 64},
	{"dead_keys", KA_KEY_WORD, AT(hid.dead_keys), .words = dead_keys_words},
	{"type_interval_ms", KA_KEY_UINT, AT(hid.type_interval_ms), 1, 1000},
	{"hold_ms", KA_KEY_UINT, AT(hid.hold_ms), 0, 60000},
	END,
};

static const struct ka_config_key power_keys[] = {
	{"chip", KA_KEY_STRING, AT(power.chip), 0, 64},
	{"power_line", KA_KEY_STRING, AT(power.power_line), 0, 32},
	{"reset_line", KA_KEY_STRING, AT(power.reset_line), 0, 32},
	{"led_line", KA_KEY_STRING, AT(power.led_line), 0, 32},
	{"active_low", KA_KEY_BOOL, AT(power.active_low)},
	{"press_ms", KA_KEY_UINT, AT(power.press_ms), 50, 2000},
	{"hold_ms", KA_KEY_UINT, AT(power.hold_ms), 2000, 20000},
	END,
};

static const struct ka_config_key direct_keys[] = {
	{"enabled", KA_KEY_BOOL, AT(rustdesk.direct)},
	{"address", KA_KEY_STRING, AT(rustdesk.direct_address), 0, 400},
	{"port", KA_KEY_UINT16, AT(rustdesk.direct_port), 0, 65535},
	END,
};

struct raw_peer {
	const char *id, *address, *key;
};

static const struct ka_config_key peer_keys[] = {
	{"id", KA_KEY_STRING, offsetof(struct raw_peer, id), 6, KA_RD_ID_MAX},
	{"address", KA_KEY_STRING, offsetof(struct raw_peer, address), 1, 64},
	{"key", KA_KEY_STRING, offsetof(struct raw_peer, key), 44, 44},
	END,
};

static void read_peer(struct ka_config_reader *r, const config_setting_t *element, const struct ka_config_key *keys,
		      void *field)
{
	struct ka_config_raw *all = KA_CONTAINER_OF(field, struct ka_config_raw, rustdesk.serve.peers);
	struct ka_rd_peer *peer;
	struct raw_peer raw = {0};
	size_t pk_len = 0;

	ka_config_read_group(r, element, "peers", keys, &raw);
	if (r->err)
		return;
	if (!raw.id || !raw.address || !raw.key) {
		ka_config_fail(r, element, "an entry of 'peers' needs 'id', 'address' and 'key'");
		return;
	}
	peer = &all->rustdesk.serve.peers[all->rustdesk.serve.n_peers++];
	peer->id = raw.id;
	peer->address = raw.address;
	ka_config_check_ip_port(r, config_setting_get_member(element, "address"), raw.address);
	if (sodium_base642bin(peer->pk, sizeof(peer->pk), raw.key, strlen(raw.key), NULL, &pk_len, NULL,
			      sodium_base64_VARIANT_ORIGINAL) ||
	    pk_len != sizeof(peer->pk))
		ka_config_fail(r, element, "'key' must be the 44 base64 characters that the other device shows");
}

static const struct ka_config_key serve_keys[] = {
	{"enabled", KA_KEY_BOOL, AT(rustdesk.serve.enabled)},
	{"address", KA_KEY_STRING, AT(rustdesk.serve.address), 0, 64},
	{"port", KA_KEY_UINT16, AT(rustdesk.serve.port), 0, 65535},
	{"session_port", KA_KEY_UINT16, AT(rustdesk.serve.session_port), 0, 65535},
	{"public_address", KA_KEY_STRING, AT(rustdesk.serve.public_address), 0, 253},
	{"peers", KA_KEY_LIST, AT(rustdesk.serve.peers), .max = KA_RD_MAX_PEERS, .keys = peer_keys, .read = read_peer},
	END,
};

#define PERMISSION_KEYS(base)                                                                                          \
	{"keyboard", KA_KEY_BOOL, (base) + offsetof(struct ka_config_permissions, keyboard)},                          \
		{"audio", KA_KEY_BOOL, (base) + offsetof(struct ka_config_permissions, audio)},                        \
		{"files", KA_KEY_BOOL, (base) + offsetof(struct ka_config_permissions, files)},                        \
		{"terminal", KA_KEY_BOOL, (base) + offsetof(struct ka_config_permissions, terminal)},                  \
		{"tunnel", KA_KEY_BOOL, (base) + offsetof(struct ka_config_permissions, tunnel)},                      \
		{"power", KA_KEY_BOOL, (base) + offsetof(struct ka_config_permissions, power)},                        \
	{                                                                                                              \
		"recording", KA_KEY_BOOL, (base) + offsetof(struct ka_config_permissions, recording)                   \
	}
/* What reaches beyond the target's screen and keys is given expressly only. */
#define DEFAULT_PERMISSIONS                                                                                            \
	{                                                                                                              \
		.keyboard = true, .audio = true, .files = true, .power = true, .recording = true                       \
	}

static const struct ka_config_key permission_keys[] = {
	PERMISSION_KEYS(AT(rustdesk.permissions)),
	END,
};

uint32_t ka_config_permission_bits(const struct ka_config_permissions *p)
{
	uint32_t bits = 0;

	bits |= p->keyboard ? KA_RD_MAY_KEYBOARD : 0;
	bits |= p->audio ? KA_RD_MAY_AUDIO : 0;
	bits |= p->files ? KA_RD_MAY_FILES : 0;
	bits |= p->terminal ? KA_RD_MAY_TERMINAL : 0;
	bits |= p->tunnel ? KA_RD_MAY_TUNNEL : 0;
	bits |= p->power ? KA_RD_MAY_POWER : 0;
	bits |= p->recording ? KA_RD_MAY_RECORD : 0;
	return bits;
}

struct raw_access {
	const char *name, *password_hash;
	bool view_only;
	struct ka_config_permissions permissions;
};

static const struct ka_config_key access_keys[] = {
	{"name", KA_KEY_STRING, offsetof(struct raw_access, name), 1, 32},
	{"password_hash", KA_KEY_STRING, offsetof(struct raw_access, password_hash), 64, 64},
	{"view_only", KA_KEY_BOOL, offsetof(struct raw_access, view_only)},
	PERMISSION_KEYS(offsetof(struct raw_access, permissions)),
	END,
};

static void read_access(struct ka_config_reader *r, const config_setting_t *element, const struct ka_config_key *keys,
			void *field)
{
	struct ka_config_raw *all = KA_CONTAINER_OF(field, struct ka_config_raw, rustdesk.access);
	struct raw_access raw = {.permissions = DEFAULT_PERMISSIONS};
	struct ka_rd_access *a = &all->rustdesk.access[all->rustdesk.n_access];

	ka_config_read_group(r, element, "access", keys, &raw);
	if (r->err)
		return;
	if (!raw.name || !raw.password_hash) {
		ka_config_fail(r, element, "an entry of 'access' needs 'name' and 'password_hash'");
		return;
	}
	if (ka_hex_decode(a->h1, sizeof(a->h1), raw.password_hash) < 0) {
		ka_config_fail(r, element,
			       "'password_hash' must be the 64 digits that kvmagent --hash-password prints");
		return;
	}
	a->name = raw.name;
	a->permissions = ka_config_permission_bits(&raw.permissions);
	/* Nothing that changes the target or reaches beyond it. */
	if (raw.view_only)
		a->permissions &= KA_RD_MAY_AUDIO | KA_RD_MAY_RECORD;
	all->rustdesk.n_access++;
}

static const struct ka_config_key rustdesk_keys[] = {
	{"id", KA_KEY_STRING, AT(rustdesk.id), 0, KA_RD_ID_MAX},
	{"password", KA_KEY_STRING, AT(rustdesk.password), 0, 128},
	{"password_hash", KA_KEY_STRING, AT(rustdesk.password_hash), 0, 64},
	{"permissions", KA_KEY_GROUP, 0, .keys = permission_keys},
	{"access", KA_KEY_LIST, AT(rustdesk.access), .max = KA_RD_MAX_ACCESS, .keys = access_keys, .read = read_access},
	{"one_time_password_numeric", KA_KEY_BOOL, AT(rustdesk.otp_numeric)},
	{"totp_secret", KA_KEY_STRING, AT(rustdesk.totp_secret), 0, 128},
	{"trusted_days", KA_KEY_UINT, AT(rustdesk.trusted_days), 0, 3650},
	{"approval", KA_KEY_BOOL, AT(rustdesk.approval)},
	{"idle_minutes", KA_KEY_UINT, AT(rustdesk.idle_minutes), 0, 1440},
	{"allow_addresses", KA_KEY_STRING, AT(rustdesk.allow_addresses), 0, 4096},
	{"allow_ids", KA_KEY_STRING, AT(rustdesk.allow_ids), 0, 4096},
	{"one_time_password_length", KA_KEY_UINT, AT(rustdesk.otp_length), 0, 32},
	{"server", KA_KEY_STRING, AT(rustdesk.server), 0, 1024},
	{"relay", KA_KEY_STRING, AT(rustdesk.relay), 0, 253},
	{"key", KA_KEY_STRING, AT(rustdesk.key), 0, 64},
	{"hostname", KA_KEY_STRING, AT(rustdesk.hostname), 0, 64},
	{"username", KA_KEY_STRING, AT(rustdesk.username), 1, 64},
	{"direct", KA_KEY_GROUP, 0, .keys = direct_keys},
	{"serve", KA_KEY_GROUP, 0, .keys = serve_keys},
	{"lan_discovery", KA_KEY_BOOL, AT(rustdesk.lan_discovery)},
	{"lan_port", KA_KEY_UINT16, AT(rustdesk.lan_port), 1, 65535},
	{"encryption", KA_KEY_WORD, AT(rustdesk.encryption), .words = encryption_words},
	{"platform", KA_KEY_WORD, AT(rustdesk.platform), .words = platform_words},
	{"version", KA_KEY_STRING, AT(rustdesk.version), 5, 16},
	{"max_sessions", KA_KEY_UINT, AT(rustdesk.max_sessions), 1, KA_RD_MAX_SESSIONS},
	END,
};

const struct ka_config_key ka_config_top_keys[] = {
	{"state_dir", KA_KEY_STRING, AT(state_dir), 1, PATH_MAX - 64},
	{"runtime_dir", KA_KEY_STRING, AT(runtime_dir), 0, PATH_MAX - 64},
	{"control_group", KA_KEY_STRING, AT(control_group), 0, 32},
	{"log", KA_KEY_GROUP, 0, .keys = log_keys},
	{"video", KA_KEY_GROUP, 0, .keys = ka_config_video_keys},
	{"hid", KA_KEY_GROUP, 0, .keys = hid_keys},
	{"power", KA_KEY_GROUP, 0, .keys = power_keys},
	{"rustdesk", KA_KEY_GROUP, 0, .keys = rustdesk_keys},
	END,
};

/* Defaults, as etc/kvmagent.cfg documents them. */
const struct ka_config_raw ka_config_defaults = {
	.state_dir = "/var/lib/kvmagent",
	.runtime_dir = "/run/kvmagent",
	.control_group = "kvmagent",
	.log = {.level = KA_LOG_INFO},
	.video = {.device = "/dev/video0",
		  .edid = "auto",
		  .edid_modes = "1920x1080@60, 1920x1080@50, 1920x1080@30, 1280x720@60, 1280x1024, 1024x768, 800x600",
		  .edid_name = "kvmagent",
		  .codecs = "h264, vp9, vp9-444, vp8",
		  .fps = 30,
		  .slate_fps = 2,
		  .blank_slate = 5,
		  .x = KA_CONFIG_NO_PLACE,
		  .y = KA_CONFIG_NO_PLACE},
	.hid = {.record_file = "",
		.serial_device = "/dev/ttyUSB0",
		.serial_baud = 9600,
		.udc = "",
		.gadget = "kvmagent",
		.vendor_id = 0x1d6b,
		.product_id = 0x0104,
		.manufacturer = "kvmagent",
		.product = "KVM keyboard and mouse",
		.serial = "",
		.max_power_ma = 100,
		.layout = "us",
		.dead_keys = KA_DEAD_COMMON,
		.type_interval_ms = 20,
		.hold_ms = 1500},
	.power = {.chip = "", .power_line = "", .reset_line = "", .led_line = "", .press_ms = 500, .hold_ms = 6000},
	.rustdesk = {.id = "",
		     .password = "",
		     .password_hash = "",
		     .totp_secret = "",
		     .trusted_days = 90,
		     .allow_addresses = "",
		     .allow_ids = "",
		     .permissions = DEFAULT_PERMISSIONS,
		     .otp_length = 8,
		     .server = "",
		     .relay = "",
		     .key = "",
		     .hostname = "",
		     .username = "kvm",
		     .direct_address = "",
		     .direct_port = 21118,
		     .serve = {.address = "", .public_address = "", .port = 21116, .session_port = 21117},
		     .lan_discovery = true,
		     .lan_port = 21119,
		     .version = "1.4.9",
		     .max_sessions = KA_RD_MAX_SESSIONS},
};
