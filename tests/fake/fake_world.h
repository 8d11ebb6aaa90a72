/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What reach/ meets beyond this process, without any network: every TCP connect() leads to one of two listeners here
 * (or fails, or waits for ever, as told), names are looked up here and at once, and changes of our addresses are
 * announced by the test. For programs linked with the --wrap options of fuzz_reach (rustdesk/CMakeLists.txt). One
 * world, one thread.
 */
#ifndef KA_FAKE_WORLD_H
#define KA_FAKE_WORLD_H

#include <netinet/in.h>
#include <stdbool.h>

#define FAKE_WORLD_LEGS 32

/* How connecting ends. */
enum fake_verdict { TO_LISTENER, REFUSED, NO_ROUTE, NOTHING, FAKE_VERDICTS };

struct fake_world {
	enum fake_verdict verdict;
	bool names_known; /* every name is 127.0.0.1 */
	int udp;	  /* hbbs */
	struct sockaddr_in udp_addr;
	int tcp[2]; /* listeners: of hbbs, of everybody else, so that one local port may be used towards both */
	struct sockaddr_in tcp_addr[2];
	unsigned int arrivals[2];   /* to be accepted */
	int legs[FAKE_WORLD_LEGS];  /* other ends of the device's connections; -1 = none */
	unsigned int next_leg;	    /* the next one goes here */
	int waits[FAKE_WORLD_LEGS]; /* ends of pipes that keep a connect waiting */
	unsigned int n_waits;
	void (*moved)(void *arg); /* own addresses changed */
	void *moved_arg;
};

void fake_world_init(struct fake_world *w);
void fake_world_fini(struct fake_world *w);
/* Accepts what has come and reads away what it says. */
void fake_world_read(struct fake_world *w);
/* Closes without a trace in the kernel: ports are few, and there are many runs. -1 is fine. */
void fake_world_reset(int *fd);
/* A non-blocking socket of this machine. */
int fake_world_socket(int type, struct sockaddr_in *bound);
/* Somebody comes to an address of this machine, and leaves; come is what happens meanwhile. */
int fake_world_dial(const struct sockaddr_in *to);

#endif
