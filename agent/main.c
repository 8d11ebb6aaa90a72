/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/app.h"
#include "agent/config.h"
#include "agent/hash_password.h"
#include "base/log.h"
#include "base/str.h"

#define DEFAULT_CONFIG "/etc/kvmagent.cfg"

struct options {
	const char *config;
	bool check;
	bool hash_password;
	bool let_go;
	struct ka_app_options app;
};

static void usage(FILE *to)
{
	fprintf(to, "Usage: kvmagent [options]\n"
		    "KVM-over-IP whose user interface is the stock RustDesk client.\n\n"
		    "  -c, --config FILE   configuration (default " DEFAULT_CONFIG ")\n"
		    "      --check-config  read and check the configuration, then exit\n"
		    "      --hash-password read a password from standard input, print its line of configuration\n"
		    "      --let-go        take away what an agent that died left on the target\n"
		    "      --banner        print id, addresses and one-time password on standard output\n"
		    "      --ready-fd N    write one line of JSON to descriptor N once everything runs\n"
		    "  -V, --version       print the version\n"
		    "  -h, --help          print this\n");
}

/* -1 = go on, else the exit code. */
static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"check-config", no_argument, NULL, 'k'},
		{"hash-password", no_argument, NULL, 'p'},
		{"let-go", no_argument, NULL, 'l'},
		{"banner", no_argument, NULL, 'b'},
		{"ready-fd", required_argument, NULL, 'r'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	uint64_t fd;
	int c;

	while ((c = getopt_long(argc, argv, "c:Vh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'k':
			o->check = true;
			break;
		case 'p':
			o->hash_password = true;
			break;
		case 'l':
			o->let_go = true;
			break;
		case 'b':
			o->app.banner = true;
			break;
		case 'r':
			if (ka_str_parse_u64(optarg, 0, 1023, &fd) < 0) {
				fprintf(stderr, "kvmagent: --ready-fd takes a number of 0 to 1023\n");
				return 2;
			}
			o->app.ready_fd = (int)fd;
			break;
		case 'V':
			printf("kvmagent %s\n", KA_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "kvmagent: unexpected argument '%s'\n", argv[optind]);
		return 2;
	}
	return -1;
}

static int let_go(const struct ka_config *cfg)
{
	int ret = ka_hid_let_go(&cfg->hid);

	if (ret < 0)
		ka_log(ERROR, "agent", "not-let-go", "cause=\"%s\"", ka_err_str(ret));
	return ret < 0 ? 1 : 0;
}

static int run(struct ka_config *cfg, const struct options *o)
{
	struct ka_errbuf eb = {""};
	struct ka_app *app;
	int ret = ka_app_new(&app, cfg, &eb);

	ka_config_forget_password(cfg);
	if (ret < 0) {
		ka_log(ERROR, "agent", "failed", "%s", eb.text[0] ? eb.text : ka_err_str(ret));
		return 1;
	}
	ret = ka_app_start(app, &o->app, &eb);
	if (ret < 0)
		ka_log(ERROR, "agent", "failed", "%s", eb.text[0] ? eb.text : ka_err_str(ret));
	else
		ret = ka_app_run(app);
	ka_app_free(app);
	return ret < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options o = {.config = DEFAULT_CONFIG, .app = {.ready_fd = -1}};
	struct ka_errbuf eb = {""};
	struct ka_config *cfg;
	int code = parse(argc, argv, &o);

	if (code >= 0)
		return code;
	/* A peer that goes away is an error code here, not a signal. */
	signal(SIGPIPE, SIG_IGN);
	ka_log_init(STDERR_FILENO, KA_LOG_INFO);
	if (ka_config_load(&cfg, o.config, &eb) < 0) {
		fprintf(stderr, "kvmagent: %s\n", eb.text);
		return 1;
	}
	if (o.check) {
		printf("%s: good\n", o.config);
		ka_config_free(cfg);
		return 0;
	}
	ka_log_init(STDERR_FILENO, cfg->log.level);
	if (o.hash_password)
		code = ka_hash_password(cfg) < 0 ? 1 : 0;
	else if (o.let_go)
		code = let_go(cfg);
	else
		code = run(cfg, &o);
	ka_config_free(cfg);
	return code;
}
