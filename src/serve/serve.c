#include "serve/serve.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/say.h"
#include "serve/node.h"
#include "serve/notify.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

enum {
	DRAIN_TURN_MS = 20,
	DRAIN_SLACK_MS = 2000, /* beyond the window, for what is slow to leave */
};

static uint64_t wall_ms(void)
{
	struct world *world = world_linux();
	return world->ops->wall_ms(world);
}

static void say_begin(const struct options *options)
{
	static const char *const levels[] = { "error", "warn", "info", "debug" };
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		if (slice_equal(options->log_level, slice_of(levels[i])))
			say_level_set((enum say_level)i);
	}
	say_clock_set(wall_ms);
}

/* Before any thread, so that all have them blocked and the descriptor gets them. */
static int signals_take(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Waits for a signal while what is due is done. */
static void wait_for_signal(struct node *node, int signal_fd)
{
	for (;;) {
		struct pollfd signalled = { .fd = signal_fd, .events = POLLIN };
		(void)poll(&signalled, 1, node_turn(node));
		struct signalfd_siginfo info;
		if (read(signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
			continue;
		if (info.ssi_signo != SIGHUP || !node_has_keys(node))
			return;
		if (node_reload_keys(node) == OK)
			say(SAY_INFO, "keys_reloaded", NULL);
		else
			say(SAY_ERROR, "keys_not_reloaded", "why", err_note_text(), NULL);
	}
}

static void drain(struct node *node, int signal_fd, uint32_t window_ms)
{
	uint64_t until_ms = node_now_ms(node) + window_ms + DRAIN_SLACK_MS;
	say(SAY_INFO, "draining", NULL);
	notify("STOPPING=1");
	node_drain(node, window_ms);
	while (!node_idle(node) && node_now_ms(node) < until_ms) {
		struct pollfd signalled = { .fd = signal_fd, .events = POLLIN };
		(void)node_turn(node);
		if (poll(&signalled, 1, DRAIN_TURN_MS) > 0) {
			say(SAY_WARN, "stopped_at_once", "why", "a second signal", NULL);
			return;
		}
	}
}

static void url_of(const struct node *node, size_t index, char ret_url[ADDRESS_TEXT_MAX + 8])
{
	char text[ADDRESS_TEXT_MAX];
	address_format(node_address(node, index), text);
	(void)snprintf(ret_url, ADDRESS_TEXT_MAX + 8, "http://%s", text);
}

/* The ready line. In development the next three things to try stand below it. */
static int tell_ready(const struct node *node, bool dev)
{
	char url[ADDRESS_TEXT_MAX + 8];
	(void)fputs("tapecast is ready on", stdout);
	for (size_t i = 0; i < node_address_count(node); i++) {
		url_of(node, i, url);
		(void)printf(" %s", url);
	}
	(void)putchar('\n');
	if (dev) {
		url_of(node, 0, url);
		(void)printf("  open     %s/\n"
			     "  listen   curl -N %s/v1/streams/hello\n"
			     "  publish  curl -d 'hello, world' %s/v1/streams/hello\n",
			     url, url, url);
		const struct address *admin = node_admin_address(node);
		if (admin) {
			char text[ADDRESS_TEXT_MAX];
			address_format(admin, text);
			(void)printf("  measure  curl http://%s/metrics\n", text);
		}
	}
	return fflush(stdout);
}

static int refused(enum err err, int status)
{
	(void)fprintf(stderr, "tapecast serve: %s\n",
		      *err_note_text() ? err_note_text() : err_text(err));
	return status;
}

static int serve(const struct options *options)
{
	struct world *world = world_linux();
	struct hash_key key;
	world->ops->random(world, &key, sizeof key);
	hash_seed(&key);
	say_begin(options);
	mem_limit_set(options->process_bytes);
	int signal_fd = signals_take();
	if (signal_fd < 0)
		return refused(err_note(ERR_SYSTEM, "signals: %m"), EX_SOFTWARE);

	struct node *node = NULL;
	enum err err = node_new(options, descriptors_raise(), &node);
	if (!err)
		err = node_start(node);
	if (err) {
		int status = err == ERR_SYSTEM ? EX_UNAVAILABLE
			     : err == ERR_NOMEM ? EX_SOFTWARE : EX_USAGE;
		(void)refused(err, status);
		node_free(&node);
		(void)close(signal_fd);
		return status;
	}
	node_say_start(node);
	if (tell_ready(node, options->dev) != 0)
		say(SAY_WARN, "ready_line_lost", NULL);
	notify("READY=1");
	wait_for_signal(node, signal_fd);
	drain(node, signal_fd, (uint32_t)options->drain_window);
	node_free(&node);
	(void)close(signal_fd);
	say(SAY_INFO, "stopped", NULL);
	return EX_OK;
}

int serve_main(int argc, char **argv)
{
	struct options options;
	enum err err = options_read(argc, argv, &options);
	if (err) {
		(void)refused(err, EX_USAGE);
		(void)fputs("Try 'tapecast serve --help'.\n", stderr);
		return EX_USAGE;
	}
	if (options.help)
		options_print_help(stdout);
	else if (options.print_limits)
		options_print_limits(stdout);
	else
		return serve(&options);
	return fflush(stdout) == 0 ? EX_OK : EX_SOFTWARE;
}
