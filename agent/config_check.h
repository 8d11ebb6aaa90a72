/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks of the configuration beyond ranges: addresses, and who may read the files that hold secrets. */
#ifndef KA_CONFIG_CHECK_H
#define KA_CONFIG_CHECK_H

#include "agent/config_reader.h"
#include "agent/config_tables.h"

/* Servers, relay, addresses to listen on, and those that controllers are told. */
void ka_config_check_addresses(struct ka_config_reader *r, const config_t *cfg, const struct ka_config_raw *raw);
/* A member of an entry of a list must be an IP address, with a port or without. */
void ka_config_check_ip_port(struct ka_config_reader *r, const config_setting_t *at, const char *text);
/* Every file that was read, @include'd ones too: nobody but its owner and group may write it, nor read it when it holds
 * a password, its hash or the secret of the second factor. Files that are not there (a text from memory) pass. */
void ka_config_check_files(struct ka_config_reader *r, const config_t *cfg);

#endif
