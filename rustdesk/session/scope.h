/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a controller fixes with its first LoginRequest and may not change while it tries passwords: who it says it is,
 * and what kind of session it asks for. Also what its reported version means. Pure.
 */
#ifndef KA_SCOPE_H
#define KA_SCOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/message.pb-c.h"

#define KA_SCOPE_LEN 32

/* Equal for two requests exactly when id, kind and the kind's parameters are. */
void ka_scope_digest(uint8_t out[static KA_SCOPE_LEN], const Rd__LoginRequest *r);

/* May this message come in a session of this kind? Those of a remote desktop are for it alone. */
bool ka_scope_allows(Rd__LoginRequest__UnionCase kind, const Rd__Message *msg);

/* Versions in the order of KA_SCOPE_VERSION(a, b, c): "1.2.3-1" lies between 1.2.3 and 1.2.4; text without numbers is
 * 0. */
int64_t ka_scope_version(const char *text);
#define KA_SCOPE_VERSION(a, b, c) ((a)*1000000LL + (b)*1000LL + (c)*10LL)

#endif
