/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Socket addresses as the rendezvous protocol writes them ("AddrMangle"). IPv4: a 128-bit little-endian number without
 * its trailing zero bytes; the stamp only makes the bytes look different each time:
 *
 *   bits  0..16 (17): port + (stamp & 0xffff)     17..48 (32): stamp     49..81 (33): ip + stamp
 *
 * with ip = the four octets read as little-endian. IPv6: 16 octets and the port in little-endian. Pure, any thread.
 */
#ifndef KA_ADDR_H
#define KA_ADDR_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"

#define KA_ADDR_BYTES 18
#define KA_ADDR_TEXT 56 /* "[v6]:port" or "v4:port", terminated */

/* Length written to out. IPv4-mapped and -compatible IPv6 is written as IPv4. stamp: any value; stock uses the low 32
 * bits of the wall clock in microseconds. */
size_t ka_addr_encode(uint8_t out[static KA_ADDR_BYTES], const struct sockaddr_storage *addr, uint32_t stamp);
/* -EINVAL when there are more than 16 bytes but not 18. An empty field gives 0.0.0.0:0. */
int ka_addr_decode(struct sockaddr_storage *out, const uint8_t *data, size_t len) KA_MUST_USE;

uint16_t ka_addr_port(const struct sockaddr_storage *addr);
void ka_addr_set_port(struct sockaddr_storage *addr, uint16_t port);
socklen_t ka_addr_len(const struct sockaddr_storage *addr);
/* Same family and host; IPv4-mapped IPv6 equals its IPv4. Ports are not compared. */
int ka_addr_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
/* Loopback or link-local. */
int ka_addr_is_own(const struct sockaddr_storage *a);
/* Same IPv4 host, or same IPv6 /64: what one stranger has at hand. */
int ka_addr_same_network(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
const char *ka_addr_text(char dst[static KA_ADDR_TEXT], const struct sockaddr_storage *addr);

#endif
