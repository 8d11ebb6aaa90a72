/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The identity on disk: <state_dir>/identity, mode 0600, libconfig text, written atomically with one older good copy
 * beside it. Blocks; used at start only. And <state_dir>/nat: what the NAT test told last, which may be lost.
 */
#ifndef KA_STATE_H
#define KA_STATE_H

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "rustdesk/rustdesk.h"

/* Loads the identity, or makes and stores a new one when there is none. A damaged file is set aside and the copy used;
 * when neither is good, that is an error: a silently new identity would lock the owner out. wanted_id: "" = keep or
 * generate. eb names the file and what to do. */
int ka_state_load(struct ka_rd_identity *out, const char *state_dir, const char *wanted_id,
		  struct ka_errbuf *eb) KA_MUST_USE;

/* Unknown when there is none, or none that can be read. */
void ka_state_load_nat(struct ka_rd_nat *out, const char *state_dir);
int ka_state_save_nat(const struct ka_rd_nat *nat, const char *state_dir) KA_MUST_USE;

/* The secret of the second factor from <state_dir>/totp_secret, "" when there is no such file; it must be readable for
 * its owner only. */
int ka_state_load_totp(char *dst, size_t dst_size, const char *state_dir, struct ka_errbuf *eb) KA_MUST_USE;
/* <state_dir>/trusted_devices. Loading: out is filled with the text; none or a damaged one is no error. */
void ka_state_load_trusted(struct ka_bytes *out, const char *state_dir);
int ka_state_save_trusted(const char *text, const char *state_dir) KA_MUST_USE;

/* The file's text. Pure; for the above and the fuzzer. */
int ka_state_parse(struct ka_rd_identity *out, const char *text) KA_MUST_USE;

#endif
