/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/state.h"

#include <errno.h>
#include <libconfig.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"

#define FILE_MAX_BYTES 4096u
#define SALT_ALPHABET "23456789abcdefghijkmnpqrstuvwxyz"

static int get_hex(const config_t *cfg, const char *key, uint8_t *dst, size_t len)
{
	const char *text;

	if (!config_lookup_string(cfg, key, &text))
		return -EINVAL;
	return ka_hex_decode(dst, len, text);
}

static int get_text(const config_t *cfg, const char *key, char *dst, size_t min, size_t size)
{
	const char *text;

	if (!config_lookup_string(cfg, key, &text) || strlen(text) < min || !ka_str_copy(dst, size, text))
		return -EINVAL;
	return 0;
}

int ka_state_parse(struct ka_rd_identity *out, const char *text)
{
	struct ka_rd_identity id = {0};
	uint8_t seed[32];
	config_t cfg;
	int ret = -EINVAL;

	config_init(&cfg);
	if (config_read_string(&cfg, text) && !get_text(&cfg, "id", id.id, 6, sizeof(id.id)) &&
	    !get_hex(&cfg, "uuid", id.uuid, sizeof(id.uuid)) && !get_hex(&cfg, "seed", seed, sizeof(seed)) &&
	    !get_text(&cfg, "salt", id.salt, 6, sizeof(id.salt))) {
		crypto_sign_seed_keypair(id.sign_pk, id.sign_sk, seed);
		*out = id;
		ret = 0;
	}
	config_destroy(&cfg);
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(&id, sizeof(id));
	return ret;
}

static int read_file(struct ka_rd_identity *out, const char *path)
{
	struct ka_bytes text;
	int ret;

	ka_bytes_init(&text, FILE_MAX_BYTES);
	ret = ka_fs_read(path, &text);
	if (!ret)
		ret = ka_state_parse(out, (const char *)text.data);
	if (text.data)
		sodium_memzero(text.data, text.cap);
	ka_bytes_fini(&text);
	return ret;
}

static int write_file(const struct ka_rd_identity *id, const char *path)
{
	char uuid[2 * KA_RD_UUID_LEN + 1];
	char seed[65];
	char text[1024];
	int ret;

	ka_hex_encode(uuid, id->uuid, sizeof(id->uuid));
	/* libsodium's secret key starts with the seed. */
	ka_hex_encode(seed, id->sign_sk, 32);
	ret = ka_str_format(
		text, sizeof(text),
		"# The identity of this device. Keep it: with another one, servers refuse the id and clients\n"
		"# forget its password. Secret: whoever has the seed can pose as this device.\n"
		"id = \"%s\";\nuuid = \"%s\";\nseed = \"%s\";\nsalt = \"%s\";\n",
		id->id, uuid, seed, id->salt);
	if (!ret)
		ret = ka_fs_write_atomic(path, text, strlen(text), 0600);
	sodium_memzero(text, sizeof(text));
	sodium_memzero(seed, sizeof(seed));
	return ret;
}

static void make_new(struct ka_rd_identity *id)
{
	memset(id, 0, sizeof(*id));
	/* Nine digits, like the ids users know; the first is not 0. */
	snprintf(id->id, sizeof(id->id), "%u", 100000000u + randombytes_uniform(900000000u));
	randombytes_buf(id->uuid, sizeof(id->uuid));
	crypto_sign_keypair(id->sign_pk, id->sign_sk);
	for (size_t i = 0; i < KA_RD_SALT_LEN; i++)
		id->salt[i] = SALT_ALPHABET[randombytes_uniform(sizeof(SALT_ALPHABET) - 1)];
}

static void set_aside(const char *path)
{
	char bad[PATH_MAX];

	if (ka_str_format(bad, sizeof(bad), "%s.damaged", path) == 0 && rename(path, bad) == 0)
		ka_log(ERROR, "state", "set-aside", "file=%s as=%s", path, bad);
}

static bool missing(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 && errno == ENOENT;
}

static bool damaged(int ret)
{
	return ret == -EINVAL || ret == -KA_E_TOO_BIG;
}

/* Where what we use now is on disk. */
enum kept { KEPT, KEPT_IN_COPY, NOT_KEPT };

static int load_or_make(struct ka_rd_identity *out, const char *path, const char *copy, enum kept *kept,
			struct ka_errbuf *eb)
{
	int ret = read_file(out, path);

	if (ret == -ENOENT && missing(copy)) {
		make_new(out);
		*kept = NOT_KEPT;
		return 0;
	}
	if (ret < 0 && ret != -ENOENT && !damaged(ret)) {
		ka_errbuf_set(eb, "%s: %s", path, ka_err_str(ret));
		return ret;
	}
	if (ret < 0) {
		int copy_ret = read_file(out, copy);

		/* A silently new identity would lock the owner out, and a restart must not make one either. */
		if (copy_ret < 0) {
			ka_errbuf_set(
				eb,
				"%s: damaged, and there is no good copy: restore it, or remove it and %s to make a "
				"new identity (clients and servers will not know it)",
				path, copy);
			return copy_ret;
		}
		if (damaged(ret))
			set_aside(path);
		ka_log(WARN, "state", "restored", "from=%s", copy);
		*kept = KEPT_IN_COPY;
	}
	return 0;
}

int ka_state_load(struct ka_rd_identity *out, const char *state_dir, const char *wanted_id, struct ka_errbuf *eb)
{
	char path[PATH_MAX];
	char copy[PATH_MAX];
	struct ka_rd_identity second = {0};
	enum kept kept = KEPT;
	int ret;

	if (sodium_init() < 0)
		return -EIO;
	if (ka_str_format(path, sizeof(path), "%s/identity", state_dir) < 0 ||
	    ka_str_format(copy, sizeof(copy), "%s/identity.copy", state_dir) < 0)
		return -ENAMETOOLONG;
	ret = ka_fs_mkdirs(state_dir, 0700);
	if (ret < 0) {
		ka_errbuf_set(eb, "%s: %s: this folder must exist and be writable ('state_dir')", state_dir,
			      ka_err_str(ret));
		return ret;
	}
	ret = load_or_make(out, path, copy, &kept, eb);
	if (ret < 0)
		return ret;
	if (wanted_id[0] && strcmp(wanted_id, out->id)) {
		ka_str_copy(out->id, sizeof(out->id), wanted_id);
		kept = NOT_KEPT;
	}
	/* A copy that nobody looks at until it is needed may be bad by then. */
	if (kept != KEPT || read_file(&second, copy) < 0 || sodium_memcmp(&second, out, sizeof(second))) {
		ret = write_file(out, path);
		if (!ret)
			ret = write_file(out, copy);
		/* With one good file on a full or read-only disk there is something to go on with. */
		if (ret < 0 && kept == NOT_KEPT) {
			ka_errbuf_set(eb, "%s: cannot be written: %s", path, ka_err_str(ret));
			return ret;
		}
		if (ret < 0)
			ka_log(WARN, "state", "one-copy",
			       "hint=\"one good file of the identity is left, and a second one cannot be "
			       "written\" folder=%s cause=\"%s\"",
			       state_dir, ka_err_str(ret));
	}
	sodium_memzero(&second, sizeof(second));
	return 0;
}

void ka_state_load_nat(struct ka_rd_nat *out, const char *state_dir)
{
	char path[PATH_MAX];
	struct ka_bytes text;
	config_t cfg;
	int type;
	int serial;

	*out = (struct ka_rd_nat){0};
	ka_bytes_init(&text, FILE_MAX_BYTES);
	config_init(&cfg);
	if (ka_str_format(path, sizeof(path), "%s/nat", state_dir) == 0 && ka_fs_read(path, &text) == 0 &&
	    config_read_string(&cfg, (const char *)text.data) && config_lookup_int(&cfg, "type", &type) &&
	    config_lookup_int(&cfg, "serial", &serial) && type >= 0 && type <= 2 && serial >= 0)
		*out = (struct ka_rd_nat){.type = type, .serial = serial};
	config_destroy(&cfg);
	ka_bytes_fini(&text);
}

int ka_state_save_nat(const struct ka_rd_nat *nat, const char *state_dir)
{
	char path[PATH_MAX];
	char text[256];
	int ret = ka_str_format(path, sizeof(path), "%s/nat", state_dir);

	if (!ret)
		ret = ka_str_format(
			text, sizeof(text),
			"# What the rendezvous server saw of the router: 1 = punching can work, 2 = relay only.\n"
			"type = %d;\nserial = %d;\n",
			nat->type, (int)nat->serial);
	return ret ? ret : ka_fs_write_atomic(path, text, strlen(text), 0600);
}

int ka_state_load_totp(char *dst, size_t dst_size, const char *state_dir, struct ka_errbuf *eb)
{
	char path[PATH_MAX];
	struct stat st;
	int ret;

	dst[0] = '\0';
	if (ka_str_format(path, sizeof(path), "%s/totp_secret", state_dir) < 0)
		return -ENAMETOOLONG;
	if (missing(path))
		return 0;
	ret = ka_fs_read_attr(path, dst, dst_size);
	if (!ret && (stat(path, &st) < 0 || st.st_mode & 077)) {
		ka_errbuf_set(eb, "%s: others may read it: chmod 0600 %s", path, path);
		return -KA_E_CONFIG;
	}
	/* Empty, it must not pass for no second factor wanted. */
	if (!ret && !dst[0])
		ret = -EINVAL;
	if (ret < 0)
		ka_errbuf_set(eb, "%s: %s", path, ka_err_str(ret));
	return ret;
}

void ka_state_load_trusted(struct ka_bytes *out, const char *state_dir)
{
	char path[PATH_MAX];
	int ret = ka_str_format(path, sizeof(path), "%s/trusted_devices", state_dir);

	if (!ret)
		ret = ka_fs_read(path, out);
	if (!ret || ret == -ENOENT)
		return;
	ka_log(WARN, "state", "trusted-devices", "file=%s cause=\"%s\"", path, ka_err_str(ret));
	ka_bytes_clear(out);
}

int ka_state_save_trusted(const char *text, const char *state_dir)
{
	char path[PATH_MAX];

	if (ka_str_format(path, sizeof(path), "%s/trusted_devices", state_dir) < 0)
		return -ENAMETOOLONG;
	return ka_fs_write_atomic(path, text, strlen(text), 0600);
}
