/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What kvmagent and kvmagentctl say to each other over the unix socket <runtime_dir>/control. One request a connection:
 *
 *   client:  ["kick", "3"]\n                                               a JSON array of words, the command first
 *   agent:   {"code": 0, "text": "session 3 kicked\n", "data": {...}}\n     then it closes
 *
 * code is of enum ka_console_code; text is for people; data is an object, with "error" when code is not 0.
 */
#ifndef KA_CTL_PROTO_H
#define KA_CTL_PROTO_H

#define KA_CTL_NAME "control"
#define KA_CTL_DEFAULT "/run/kvmagent/" KA_CTL_NAME
#define KA_CTL_REQUEST_MAX 4096 /* bytes, the newline among them */
#define KA_CTL_REPLY_MAX (1024 * 1024)

#endif
