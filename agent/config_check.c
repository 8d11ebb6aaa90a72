/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/config_check.h"

#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "rustdesk/rustdesk.h"

void ka_config_check_ip_port(struct ka_config_reader *r, const config_setting_t *at, const char *text)
{
	if (!ka_rd_check_endpoint(text, KA_RD_IP_PORT))
		ka_config_fail(r, at,
			       "'address' is \"%s\", but must be an IP address and port of the other device, like "
			       "\"192.168.1.60:21117\" or \"[2001:db8::1]:21117\"",
			       text);
}

static void check_one(struct ka_config_reader *r, const config_t *cfg, const char *key, const char *text,
		      enum ka_rd_endpoint kind, const char *wanted)
{
	if (*text && !ka_rd_check_endpoint(text, kind))
		ka_config_fail(r, config_lookup(cfg, key), "'%s' is \"%s\", but must be %s", strrchr(key, '.') + 1,
			       text, wanted);
}

/* Entries are separated by commas, with or without spaces. */
static void check_each(struct ka_config_reader *r, const config_t *cfg, const char *key, const char *list,
		       enum ka_rd_endpoint kind, const char *wanted)
{
	while (*list && !r->err) {
		size_t len = strcspn(list, ",");
		char entry[300];

		list += strspn(list, " ");
		len = strcspn(list, ", ");
		if (!len || ka_str_format(entry, sizeof(entry), "%.*s", (int)len, list) < 0) {
			ka_config_fail(r, config_lookup(cfg, key), "'%s' has an entry that is empty or too long",
				       strrchr(key, '.') + 1);
			return;
		}
		check_one(r, cfg, key, entry, kind, wanted);
		list += len;
		list += strspn(list, " ");
		if (*list && *list != ',')
			ka_config_fail(r, config_lookup(cfg, key), "'%s': commas go between entries",
				       strrchr(key, '.') + 1);
		if (*list && !*++list)
			ka_config_fail(r, config_lookup(cfg, key), "'%s' ends with a comma", strrchr(key, '.') + 1);
	}
}

void ka_config_check_addresses(struct ka_config_reader *r, const config_t *cfg, const struct ka_config_raw *raw)
{
	static const char host[] = "host or host:port, IPv6 as [address]:port";
	static const char ip[] = "IP addresses of this machine, without a port";

	check_each(r, cfg, "rustdesk.server", raw->rustdesk.server, KA_RD_HOST_PORT, host);
	check_one(r, cfg, "rustdesk.relay", raw->rustdesk.relay, KA_RD_HOST_PORT, host);
	check_each(r, cfg, "rustdesk.direct.address", raw->rustdesk.direct_address, KA_RD_IP, ip);
	check_one(r, cfg, "rustdesk.serve.address", raw->rustdesk.serve.address, KA_RD_IP,
		  "an IP address of this machine, without a port");
	check_one(r, cfg, "rustdesk.serve.public_address", raw->rustdesk.serve.public_address, KA_RD_HOST_PORT,
		  "host:port, like \"kvm.example.com:21117\"");
}

/* config_setting_source_file() is NULL for the first file. */
static bool is_from(const config_setting_t *s, const char *file)
{
	const char *from = config_setting_source_file(s);

	return file ? from && !strcmp(from, file) : !from;
}

/* The first secret below s that the file holds; NULL = none. */
static const config_setting_t *find_secret(const config_setting_t *s, const char *file)
{
	static const char *const secrets[] = {"password", "password_hash", "totp_secret"};
	const char *name = config_setting_name(s);
	const char *text = config_setting_get_string(s);

	if (text) {
		for (size_t i = 0; i < KA_ARRAY_LEN(secrets); i++) {
			if (*text && name && !strcmp(name, secrets[i]) && is_from(s, file))
				return s;
		}
		return NULL;
	}
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *found = find_secret(config_setting_get_elem(s, (unsigned int)i), file);

		if (found)
			return found;
	}
	return NULL;
}

/* file: NULL = the first one. */
static void check_file(struct ka_config_reader *r, const config_t *cfg, const char *file)
{
	const char *path = file ? file : r->file;
	const config_setting_t *secret;
	struct stat st;

	if (r->err || stat(path, &st) < 0)
		return;
	if (st.st_mode & S_IWOTH) {
		ka_config_fail(r, NULL, "everybody may change %s: chmod o-w %s", path, path);
		return;
	}
	if (!(st.st_mode & S_IROTH))
		return;
	secret = find_secret(config_root_setting(cfg), file);
	/* A hash opens this device as well as the password does. */
	if (secret)
		ka_config_fail(r, secret, "'%s' is a secret, but everybody may read this file: chmod 0640 %s",
			       config_setting_name(secret), path);
}

void ka_config_check_files(struct ka_config_reader *r, const config_t *cfg)
{
	check_file(r, cfg, NULL);
	for (unsigned int i = 0; i < cfg->num_filenames; i++)
		check_file(r, cfg, cfg->filenames[i]);
}
