/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/app.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "agent/agent_host.h"
#include "agent/banner.h"
#include "agent/console_port.h"
#include "agent/ctl.h"
#include "agent/notices.h"
#include "agent/state.h"
#include "agent/watchdog.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"

#define WATCH_MS 1000
#define TOTP_TEXT_MAX 160

/* Also when the terminal goes: keys are to be released. */
static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

struct ka_app {
	const struct ka_config *cfg;
	struct ka_rd_identity identity;
	struct ka_agent_parts parts; /* owns captures and hid */
	struct ka_rd *rd;
	struct ka_console console;
	struct ka_console_view view; /* the console's */
	struct ka_ctl *ctl;	     /* NULL = nobody can give commands */
	char hostname[65];
	char otp_path[PATH_MAX]; /* "" = not written */

	struct ka_loop loop;
	uv_signal_t signals[KA_ARRAY_LEN(stop_signals)];
	size_t n_signals; /* open */
	uv_timer_t watch;
	uv_timer_t press;	 /* of a button of the target */
	bool watching, pressing; /* the timers are open */
	bool failed;
	bool banner;
	char shown_otp[64]; /* what the operator was told last */
	struct ka_hid_state last_hid;
	struct ka_signal last_signal[KA_HOST_DISPLAYS_MAX];
	char last_server[96];
	struct ka_rd_nat stored_nat;
	struct ka_watchdog watchdog;
};

static void on_signal(uv_signal_t *h, int signum)
{
	struct ka_app *a = h->data;

	ka_log(INFO, "agent", "stopping", "signal=%s", sigabbrev_np(signum));
	ka_loop_stop(&a->loop);
}

static void watch_hid(struct ka_app *a)
{
	struct ka_hid_state st;

	ka_hid_get_state(a->parts.hid, &st);
	if (st.usb != a->last_hid.usb || st.cause != a->last_hid.cause)
		ka_log(INFO, "usb", ka_usb_state_name(st.usb), "cause=\"%s\"", st.cause ? ka_err_str(st.cause) : "");
	if (st.leds_known && (st.leds != a->last_hid.leds || !a->last_hid.leds_known))
		ka_log(INFO, "hid", "leds", "num=%d caps=%d scroll=%d", !!(st.leds & KA_LED_NUM),
		       !!(st.leds & KA_LED_CAPS), !!(st.leds & KA_LED_SCROLL));
	a->last_hid = st;
}

static void watch_signal(struct ka_app *a, size_t display)
{
	struct ka_signal *last = &a->last_signal[display];
	struct ka_signal st;

	ka_capture_signal(a->parts.displays[display].capture, &st);
	if (st.watched && (st.cause != last->cause || !last->watched || st.geometry.width != last->geometry.width ||
			   st.geometry.height != last->geometry.height))
		ka_log(INFO, "video", st.cause ? "slate" : "live", "display=%zu name=\"%s\" w=%u h=%u%s%s%s", display,
		       a->cfg->displays[display].name, st.geometry.width, st.geometry.height,
		       st.cause ? " cause=\"" : "", st.cause ? ka_err_str(st.cause) : "", st.cause ? "\"" : "");
	*last = st;
}

/* The one-time password changes after each controller; the file is how the operator of a service reads it. */
static void watch_otp(struct ka_app *a)
{
	char otp[64];
	char line[80];
	int ret;

	ka_rd_get_otp(a->rd, otp, sizeof(otp));
	if (!strcmp(otp, a->shown_otp))
		return;
	ka_str_copy(a->shown_otp, sizeof(a->shown_otp), otp);
	if (a->banner)
		ka_banner_otp(otp);
	if (!a->otp_path[0])
		return;
	snprintf(line, sizeof(line), "%s\n", otp);
	ret = ka_fs_write_atomic(a->otp_path, line, strlen(line), 0600);
	if (ret < 0)
		ka_log(WARN, "agent", "password-file", "file=%s cause=\"%s\"", a->otp_path, ka_err_str(ret));
}

/* Seldom: only when the router has become another one. */
static void keep_nat(struct ka_app *a, const struct ka_rd_nat *nat)
{
	int ret;

	if (nat->type == a->stored_nat.type && nat->serial == a->stored_nat.serial)
		return;
	a->stored_nat = *nat;
	ret = ka_state_save_nat(nat, a->cfg->state_dir);
	if (ret < 0)
		ka_log(WARN, "state", "NAT type not kept", "cause=\"%s\"", ka_err_str(ret));
}

static void watch_server(struct ka_app *a)
{
	struct ka_rd_status st;

	ka_rd_get_status(a->rd, &st);
	if (st.failed && !a->failed) {
		/* The service manager tries again; a process nobody can reach helps nobody. */
		ka_log(ERROR, "agent", "unreachable", "the network part could not start");
		a->failed = true;
		ka_loop_stop(&a->loop);
	}
	if (strcmp(st.server_state, a->last_server))
		sd_notifyf(0, "STATUS=id %s; %s", a->identity.id, st.server_state);
	ka_str_copy(a->last_server, sizeof(a->last_server), st.server_state);
	if (st.nat.type)
		keep_nat(a, &st.nat);
}

/* Seldom: when somebody passed the second factor and wants to be trusted from now on. */
static void watch_trusted(struct ka_app *a)
{
	char text[KA_RD_TRUSTED_MAX];
	int ret;

	if (!ka_rd_take_trusted(a->rd, text))
		return;
	ret = ka_state_save_trusted(text, a->cfg->state_dir);
	if (ret < 0)
		ka_log(WARN, "agent", "trusted-devices", "cause=\"%s\"", ka_err_str(ret));
}

static void watch_all(struct ka_app *a)
{
	watch_hid(a);
	ka_notices_pass(a->parts.hid, a->rd, a->cfg->hid.layout);
	for (size_t i = 0; i < a->parts.n_displays; i++)
		watch_signal(a, i);
	watch_otp(a);
	watch_server(a);
	watch_trusted(a);
}

static void on_press(uv_timer_t *t);

/* The buttons first: they are what somebody waits for. */
static void turn_atx(struct ka_app *a)
{
	int64_t now = ka_clock_us();
	int64_t next = ka_atx_turn(&a->parts.atx, now);

	if (next == INT64_MAX)
		uv_timer_stop(&a->press);
	else
		ka_timer_once(&a->press, on_press, (uint64_t)(next - now + 999) / 1000);
}

static void on_press(uv_timer_t *t)
{
	turn_atx(t->data);
}

static void on_wake(void *arg)
{
	struct ka_app *a = arg;

	if (!a->pressing)
		return;
	turn_atx(a);
	watch_all(a);
}

static void on_watch(uv_timer_t *t)
{
	struct ka_app *a = t->data;

	turn_atx(a);
	watch_all(a);
	ka_watchdog_turn(&a->watchdog, ka_clock_us());
}

static void choose_hostname(struct ka_app *a)
{
	if (a->cfg->rustdesk.hostname[0])
		ka_str_copy(a->hostname, sizeof(a->hostname), a->cfg->rustdesk.hostname);
	else if (gethostname(a->hostname, sizeof(a->hostname)) < 0)
		ka_str_copy(a->hostname, sizeof(a->hostname), "kvm");
	a->hostname[sizeof(a->hostname) - 1] = '\0';
}

static int prepare_runtime_dir(struct ka_app *a, struct ka_errbuf *eb)
{
	const char *dir = a->cfg->runtime_dir;
	int ret;

	if (!dir[0] || !a->cfg->rustdesk.otp_length)
		return 0;
	ret = ka_fs_mkdirs(dir, 0700);
	if (!ret)
		ret = ka_str_format(a->otp_path, sizeof(a->otp_path), "%s/one-time-password", dir);
	if (ret < 0)
		ka_errbuf_set(eb, "%s: %s ('runtime_dir')", dir, ka_err_str(ret));
	return ret;
}

static int make_endpoint(struct ka_app *a, struct ka_errbuf *eb)
{
	struct ka_rd_cfg rd = a->cfg->rustdesk;
	char totp[TOTP_TEXT_MAX] = "";
	struct ka_bytes trusted;
	struct ka_host host;
	int ret = 0;

	ka_bytes_init(&trusted, KA_RD_TRUSTED_MAX);
	rd.hostname = a->hostname;
	ka_state_load_nat(&a->stored_nat, a->cfg->state_dir);
	rd.nat = a->stored_nat;
	if (rd.password[0])
		ka_log(WARN, "agent", "plain-password",
		       "hint=\"replace 'password' by the 'password_hash' that kvmagent --hash-password prints\"");
	if (!rd.totp_secret[0]) {
		ret = ka_state_load_totp(totp, sizeof(totp), a->cfg->state_dir, eb);
		rd.totp_secret = totp;
	}
	ka_state_load_trusted(&trusted, a->cfg->state_dir);
	rd.trusted = trusted.len ? (const char *)trusted.data : NULL;
	ka_atx_init(&a->parts.atx, &a->cfg->power, &ka_gpio_libgpiod, ka_loop_waker(&a->loop));
	a->parts.console = &a->console;
	ka_agent_host_init(&host, &a->parts, a->cfg->hold_ms);
	if (!ret)
		ret = ka_rd_new(&a->rd, &rd, &a->identity, &host, eb);
	ka_bytes_fini(&trusted);
	explicit_bzero(totp, sizeof(totp));
	if (ret < 0)
		return ret;
	a->view = (struct ka_console_view){&a->parts, a->rd, a->cfg, &a->identity, a->hostname};
	ka_console_port_init(&a->console, &a->view);
	return 0;
}

/* A device that takes no commands still serves its controllers. */
static void open_control(struct ka_app *a)
{
	const struct ka_ctl_cfg cfg = {
		.dir = a->cfg->runtime_dir,
		.group = a->cfg->control_group,
		.uv = &a->loop.uv,
		.console = &a->console,
	};
	struct ka_errbuf eb = {""};
	int ret = cfg.dir[0] ? ka_ctl_new(&a->ctl, &cfg, &eb) : 0;

	/* Another agent's folder: its password is not ours to overwrite. */
	if (ret == -EADDRINUSE)
		a->otp_path[0] = '\0';
	if (ret < 0)
		ka_log(WARN, "ctl", "no-control", "hint=\"kvmagentctl cannot reach this agent\" cause=\"%s\"", eb.text);
}

static int make_captures(struct ka_app *a, struct ka_errbuf *eb)
{
	int ret = 0;

	a->parts.n_displays = a->cfg->n_displays;
	for (size_t i = 0; !ret && i < a->cfg->n_displays; i++) {
		a->parts.displays[i].config = &a->cfg->displays[i];
		ret = ka_capture_new(&a->parts.displays[i].capture, &a->cfg->displays[i].video, eb);
	}
	return ret;
}

int ka_app_new(struct ka_app **out, const struct ka_config *cfg, struct ka_errbuf *eb)
{
	struct ka_app *a = calloc(1, sizeof(*a));
	int ret = -ENOMEM;

	if (!a)
		return ret;
	a->cfg = cfg;
	choose_hostname(a);
	ret = ka_loop_init(&a->loop, on_wake, a);
	if (ret < 0)
		goto fail;
	open_control(a);
	if (!ret)
		ret = prepare_runtime_dir(a, eb);
	if (!ret)
		ret = ka_state_load(&a->identity, cfg->state_dir, cfg->id, eb);
	if (!ret)
		ret = make_captures(a, eb);
	if (!ret)
		ret = ka_hid_new(&a->parts.hid, &cfg->hid, ka_loop_waker(&a->loop), eb);
	if (!ret)
		ret = make_endpoint(a, eb);
	if (ret < 0)
		goto fail;
	ka_rd_on_otp(a->rd, ka_loop_waker(&a->loop));
	*out = a;
	return 0;
fail:
	ka_app_free(a);
	return ret;
}

static int start_handles(struct ka_app *a)
{
	int ret = uv_timer_init(&a->loop.uv, &a->watch);

	a->watching = !ret;
	a->watch.data = a;
	if (!ret)
		ret = uv_timer_init(&a->loop.uv, &a->press);
	a->pressing = !ret;
	a->press.data = a;
	for (size_t i = 0; !ret && i < KA_ARRAY_LEN(stop_signals); i++) {
		ret = uv_signal_init(&a->loop.uv, &a->signals[i]);
		if (ret < 0)
			break;
		a->n_signals++;
		a->signals[i].data = a;
		ret = uv_signal_start(&a->signals[i], on_signal, stop_signals[i]);
	}
	return ret < 0 ? ret : uv_timer_start(&a->watch, on_watch, 0, WATCH_MS);
}

/* Public keys: what a client, or a neighbour that answers for us, has to be told. */
static void log_keys(struct ka_app *a, const struct ka_rd_status *st)
{
	char key[KA_RD_KEY_TEXT];

	if (!st->serve_port)
		return;
	sodium_bin2base64(key, sizeof(key), a->identity.sign_pk, sizeof(a->identity.sign_pk),
			  sodium_base64_VARIANT_ORIGINAL);
	ka_log(INFO, "agent", "device-key", "key=%s", key);
	ka_rd_serve_key(key, &a->identity);
	ka_log(INFO, "agent", "serving", "connect_with=\"%s@<address>?key=%s\" port=%u", a->identity.id, key,
	       st->serve_port);
}

static void tell_ready(struct ka_app *a, const struct ka_app_options *options)
{
	struct ka_rd_status st;

	ka_rd_get_status(a->rd, &st);
	ka_log(INFO, "agent", "ready", "version=%s id=%s direct_port=%u", KA_VERSION, a->identity.id, st.direct_port);
	log_keys(a, &st);
	if (!a->cfg->rustdesk.server[0] && !st.direct_port && !st.serve_port)
		ka_log(WARN, "agent", "no-way-in",
		       "hint=\"nobody can connect: set 'server', or enable 'serve' or 'direct', in section 'rustdesk' "
		       "of the configuration\"");
	if (options->banner) {
		ka_banner_print(a->cfg, &a->identity, &st);
		a->banner = true;
	}
	if (options->ready_fd >= 0) {
		dprintf(options->ready_fd, "{\"id\": \"%s\", \"direct_port\": %u, \"serve_port\": %u, \"pid\": %d}\n",
			a->identity.id, st.direct_port, st.serve_port, (int)getpid());
		close(options->ready_fd);
	}
	sd_notify(0, "READY=1");
}

static int start_captures(struct ka_app *a)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < a->parts.n_displays; i++)
		ret = ka_capture_start(a->parts.displays[i].capture);
	return ret;
}

int ka_app_start(struct ka_app *a, const struct ka_app_options *options, struct ka_errbuf *eb)
{
	int ret = start_handles(a);

	if (!ret)
		ret = start_captures(a);
	if (!ret)
		ret = ka_hid_start(a->parts.hid);
	if (ret < 0) {
		ka_errbuf_set(eb, "cannot start: %s", ka_err_str(ret));
		return ret;
	}
	ret = ka_rd_start(a->rd, eb);
	if (ret < 0)
		return ret;
	ret = a->ctl ? ka_ctl_start(a->ctl) : 0;
	if (ret < 0)
		ka_log(WARN, "ctl", "no-control", "cause=\"%s\"", ka_err_str(ret));
	ka_watchdog_init(&a->watchdog);
	ka_watchdog_add_parts(&a->watchdog, &a->parts, a->rd);
	tell_ready(a, options);
	return 0;
}

/* In reverse order; asked first, awaited after, so that the slow ones overlap. */
static void stop_all(struct ka_app *a)
{
	if (a->rd) {
		ka_rd_stop(a->rd);
		ka_rd_join(a->rd);
	}
	if (a->parts.hid)
		ka_hid_stop(a->parts.hid);
	for (size_t i = 0; i < a->parts.n_displays; i++) {
		if (a->parts.displays[i].capture)
			ka_capture_stop(a->parts.displays[i].capture);
	}
	if (a->parts.hid)
		ka_hid_join(a->parts.hid);
	for (size_t i = 0; i < a->parts.n_displays; i++) {
		if (a->parts.displays[i].capture)
			ka_capture_join(a->parts.displays[i].capture);
	}
}

int ka_app_run(struct ka_app *a)
{
	int64_t since;

	ka_loop_run(&a->loop);
	since = ka_clock_us();
	sd_notify(0, "STOPPING=1");
	ka_ctl_close(a->ctl);
	stop_all(a);
	watch_trusted(a);
	ka_log(INFO, "agent", "stopped", "after_ms=%d", (int)((ka_clock_us() - since) / 1000));
	return a->failed ? -EIO : 0;
}

void ka_app_free(struct ka_app *a)
{
	if (!a)
		return;
	ka_ctl_close(a->ctl);
	stop_all(a);
	if (a->otp_path[0])
		unlink(a->otp_path);
	for (size_t i = 0; i < a->n_signals; i++)
		uv_close((uv_handle_t *)&a->signals[i], NULL);
	if (a->watching)
		uv_close((uv_handle_t *)&a->watch, NULL);
	if (a->pressing)
		uv_close((uv_handle_t *)&a->press, NULL);
	ka_atx_fini(&a->parts.atx);
	ka_rd_free(a->rd);
	ka_hid_free(a->parts.hid);
	for (size_t i = 0; i < a->parts.n_displays; i++)
		ka_capture_free(a->parts.displays[i].capture);
	ka_agent_host_fini(&a->parts);
	ka_loop_fini(&a->loop);
	ka_ctl_free(a->ctl);
	explicit_bzero(a, sizeof(*a));
	free(a);
}
