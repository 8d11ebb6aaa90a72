/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/hash_password.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "agent/state.h"

#define LENGTH_MAX 128

/* One line, at most size - 1 bytes; -KA_E_TOO_BIG for more. Byte by byte, so that nothing stays in a buffer. */
static int read_line(char *dst, size_t size)
{
	size_t n = 0;

	for (;;) {
		char c;
		ssize_t got = read(STDIN_FILENO, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got || c == '\n')
			break;
		if (n + 1 >= size)
			return -KA_E_TOO_BIG;
		dst[n++] = c;
	}
	dst[n] = '\0';
	return 0;
}

static int ask(const char *prompt, char *dst, size_t size)
{
	struct termios shown;
	struct termios hidden;
	int ret;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &shown) < 0)
		return read_line(dst, size);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	/* This forgets what was typed ahead: before the question. */
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	fputs(prompt, stderr);
	ret = read_line(dst, size);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fputc('\n', stderr);
	return ret;
}

static int read_password(char *password, size_t size, struct ka_errbuf *eb)
{
	char again[LENGTH_MAX + 1] = "";
	int ret = ask("Password: ", password, size);

	if (!ret && isatty(STDIN_FILENO)) {
		ret = ask("Once more: ", again, sizeof(again));
		if (!ret && strcmp(password, again)) {
			ka_errbuf_set(eb, "the two are not the same");
			ret = -EINVAL;
		}
	}
	explicit_bzero(again, sizeof(again));
	if (!ret && !password[0]) {
		ka_errbuf_set(eb, "an empty password would never let anybody in");
		ret = -EINVAL;
	}
	if (ret == -KA_E_TOO_BIG)
		ka_errbuf_set(eb, "a password has at most %d bytes", LENGTH_MAX);
	return ret;
}

int ka_hash_password(const struct ka_config *cfg)
{
	struct ka_rd_identity identity;
	struct ka_errbuf eb = {""};
	char password[LENGTH_MAX + 1];
	char hash[2 * KA_RD_H1_LEN + 1];
	int ret = ka_state_load(&identity, cfg->state_dir, cfg->id, &eb);

	if (!ret)
		ret = read_password(password, sizeof(password), &eb);
	if (!ret) {
		ka_rd_hash_password(hash, password, identity.salt);
		printf("password_hash = \"%s\";\n", hash);
	} else {
		fprintf(stderr, "kvmagent: %s\n", eb.text[0] ? eb.text : ka_err_str(ret));
	}
	explicit_bzero(password, sizeof(password));
	explicit_bzero(&identity, sizeof(identity));
	explicit_bzero(hash, sizeof(hash));
	return ret;
}
