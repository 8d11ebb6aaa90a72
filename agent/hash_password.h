/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kvmagent --hash-password: a password from standard input becomes the line of the configuration that stands for it. */
#ifndef KA_HASH_PASSWORD_H
#define KA_HASH_PASSWORD_H

#include "agent/config.h"

/* Reads one line (without echo when a person types it) and prints `password_hash = "...";` for the salt of the identity
 * in cfg's state_dir, which is made if there is none yet. Says on standard error what is wrong. */
int ka_hash_password(const struct ka_config *cfg) KA_MUST_USE;

#endif
