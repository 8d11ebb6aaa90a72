/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kvmagentctl: sends one command to the running agent and prints the answer. Of the agent it has the protocol's header
 * and the table of commands (with base/str.c for numbers), nothing else.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/console_table.h"
#include "agent/ctl_proto.h"

#define PATIENCE_S 10

enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };

struct options {
	const char *socket;
	bool json;
};

static void usage(FILE *to)
{
	fprintf(to, "usage: kvmagentctl [--socket PATH] [--json] COMMAND [ARGUMENT]\n\n");
	for (enum ka_console_id id = 0; id < KA_CONSOLE_COUNT; id++) {
		const struct ka_console_command *c = &ka_console_table[id];

		if (c->where & KA_CONSOLE_SOCKET)
			fprintf(to, "  %-9s %-10s %s\n", c->name, c->arguments, c->help);
	}
	fprintf(to, "\n"
		    "  -s, --socket PATH   instead of " KA_CTL_DEFAULT "\n"
		    "  -j, --json          print the answer as JSON\n"
		    "  -V, --version       print the version of kvmagentctl\n"
		    "  -h, --help          print this\n");
}

/* -1 = go on, else the exit code. */
static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "s:jVh", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			o->socket = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case 'V':
			printf("kvmagentctl %s\n", KA_VERSION);
			return EXIT_DONE;
		case 'h':
			usage(stdout);
			return EXIT_DONE;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	return -1;
}

/* Catches what is mistyped also when no agent runs. -1 = fits, else the exit code. */
static int check_words(size_t n, char *const *words)
{
	enum ka_console_id id;
	uint32_t number;

	if (!n) {
		usage(stderr);
		return EXIT_USAGE;
	}
	id = ka_console_table_find(words[0]);
	if (id == KA_CONSOLE_COUNT || !(ka_console_table[id].where & KA_CONSOLE_SOCKET)) {
		fprintf(stderr, "kvmagentctl: no command '%s': kvmagentctl --help lists them\n", words[0]);
		return EXIT_USAGE;
	}
	if (ka_console_table_check(id, n, (const char *const *)words, &number) < 0) {
		fprintf(stderr, "usage: kvmagentctl %s %s\n", words[0], ka_console_table[id].arguments);
		return EXIT_USAGE;
	}
	return -1;
}

/* One line with its end; NULL when a word is no UTF-8, or without memory. */
static char *make_request(size_t n, char *const *words)
{
	json_t *list = json_array();
	char *words_json;
	char *line = NULL;

	for (size_t i = 0; list && i < n; i++) {
		if (json_array_append_new(list, json_string(words[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	words_json = list ? json_dumps(list, JSON_COMPACT) : NULL;
	if (words_json && asprintf(&line, "%s\n", words_json) < 0)
		line = NULL;
	free(words_json);
	json_decref(list);
	return line;
}

static int unreachable(const char *path, int err)
{
	fprintf(stderr, "kvmagentctl: %s: %s\n", path, strerror(err));
	if (err == ENOENT || err == ECONNREFUSED)
		fprintf(stderr, "The agent does not run, or its 'runtime_dir' is another one. Try: systemctl status "
				"kvmagent\n");
	else if (err == EACCES || err == EPERM)
		fprintf(stderr, "Only root and members of the group 'kvmagent' (or 'control_group') may: use sudo, or "
				"adduser NAME kvmagent and log in anew.\n");
	else if (err == EAGAIN)
		fprintf(stderr, "The agent does not answer. Its log may say why: journalctl -u kvmagent\n");
	return EXIT_UNREACHABLE;
}

/* Connected, or -errno. */
static int dial(const char *path)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;
	int err;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	err = errno;
	close(fd);
	return -err;
}

/* 0 or -errno. An agent that has hung up may have said why before. */
static int send_line(int fd, const char *line)
{
	size_t len = strlen(line);

	while (len) {
		ssize_t n = send(fd, line, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EPIPE ? 0 : -errno;
		line += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The line that comes, into *reply; 0 or -errno. */
static int receive_line(int fd, char **reply, size_t *reply_len)
{
	char *line = malloc(KA_CTL_REPLY_MAX);
	size_t len = 0;

	if (!line)
		return -ENOMEM;
	while (len < KA_CTL_REPLY_MAX) {
		ssize_t n = recv(fd, line + len, KA_CTL_REPLY_MAX - len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int err = n < 0 ? errno : ECONNRESET;

			free(line);
			return -err;
		}
		len += (size_t)n;
		if (line[len - 1] == '\n') {
			*reply = line;
			*reply_len = len - 1;
			return 0;
		}
	}
	free(line);
	return -EMSGSIZE;
}

/* Whatever the agent says, the terminal gets plain text: no control characters but the end of a line, neither the
 * one-byte ones nor U+0080 to U+009F. */
static void print_plain(FILE *to, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		unsigned char next = i + 1 < len ? (unsigned char)s[i + 1] : 0;

		if ((c < 0x20 && c != '\n') || c == 0x7f) {
			fprintf(to, "\\x%02x", c);
		} else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
			fprintf(to, "\\x%02x\\x%02x", c, next);
			i++;
		} else {
			fputc(c, to);
		}
	}
}

static int show(const struct options *o, const char *reply, size_t len)
{
	json_t *root = json_loadb(reply, len, JSON_ALLOW_NUL, NULL);
	const json_t *code = json_object_get(root, "code");
	const json_t *text = json_object_get(root, "text");
	const json_t *data = json_object_get(root, "data");
	int ret = EXIT_FAILED;

	if (!json_is_integer(code) || !json_is_string(text) || !json_is_object(data)) {
		fprintf(stderr, "kvmagentctl: the agent's answer makes no sense: are both of the same version?\n");
	} else {
		json_int_t n = json_integer_value(code);
		FILE *to = n ? stderr : stdout;

		if (n >= EXIT_DONE && n <= EXIT_USAGE)
			ret = (int)n;
		if (o->json) {
			json_dumpf(data, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
			putchar('\n');
		} else {
			if (n)
				fputs("kvmagentctl: ", to);
			print_plain(to, json_string_value(text), json_string_length(text));
		}
	}
	json_decref(root);
	if (fflush(stdout) || ferror(stdout))
		return EXIT_FAILED;
	return ret;
}

/* The exit code. */
static int ask(const struct options *o, const char *request)
{
	char *reply = NULL;
	size_t len = 0;
	int fd = dial(o->socket);
	int ret;

	if (fd < 0)
		return unreachable(o->socket, -fd);
	ret = send_line(fd, request);
	if (!ret)
		ret = receive_line(fd, &reply, &len);
	close(fd);
	if (ret < 0)
		return unreachable(o->socket, -ret);
	ret = show(o, reply, len);
	free(reply);
	return ret;
}

int main(int argc, char **argv)
{
	struct options o = {.socket = KA_CTL_DEFAULT};
	int code = parse(argc, argv, &o);
	char *request;

	if (code < 0)
		code = check_words((size_t)(argc - optind), argv + optind);
	if (code >= 0)
		return code;
	request = make_request((size_t)(argc - optind), argv + optind);
	if (!request) {
		fprintf(stderr, "kvmagentctl: arguments must be UTF-8 text\n");
		return EXIT_USAGE;
	}
	code = ask(&o, request);
	free(request);
	return code;
}
