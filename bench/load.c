/*
 * load: the load generator. It drives one running server through one scenario over loopback and
 * prints one line of key=value pairs. bench/run calls it; by hand:
 *
 *   load SCENARIO --url 127.0.0.1:PORT --flavour tapecast|nchan|bare --server-pid PID [--KEY N]…
 *
 * Thread  one, one epoll set: listeners and publishers share it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gauge.h"
#include "press.h"
#include "scenes.h"

enum { PORTS_EACH = 2000 }; /* of one source address that a run uses */

struct figure {
	const char *name;
	size_t offset; /* of a size_t in struct plan */
	size_t max;
};

static const struct figure figures[] = {
	{ "--listeners", offsetof(struct plan, listeners), 19000 },
	{ "--streams", offsetof(struct plan, streams), 19000 },
	{ "--idle", offsetof(struct plan, idle), 19000 },
	{ "--events", offsetof(struct plan, events), 100000000 },
	{ "--rate", offsetof(struct plan, rate), 100000 },
	{ "--think", offsetof(struct plan, think_us), 1000000 },
	{ "--in-flight", offsetof(struct plan, in_flight), 1000 },
	{ "--connections", offsetof(struct plan, connections), PRESS_MAX },
	{ "--behind", offsetof(struct plan, behind), 1000 },
	{ "--rounds", offsetof(struct plan, rounds), 18 },
	{ "--spin", offsetof(struct plan, spin), 1 },
	{ "--payload", offsetof(struct plan, payload_bytes), PAYLOAD_MAX },
};

int plan_connect(const struct plan *plan, size_t which)
{
	/* Runs that follow each other take other addresses: a port may still be held. */
	uint32_t run = (uint32_t)getpid() % 62500;
	uint32_t host = 127u << 24 | (1 + run / 250) << 16 | (1 + run % 250) << 8 |
			(uint32_t)(2 + which / PORTS_EACH);
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(host) };
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket: %s (the limit of open files is too low?)", strerror(errno));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&from, sizeof from))
		die("bind: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)&plan->server, sizeof plan->server))
		die("connect: %s", strerror(errno));
	return fd;
}

static void usage(FILE *to)
{
	fprintf(to, "usage: load SCENARIO --url ADDRESS:PORT --flavour tapecast|nchan|bare\n"
		    "            --server-pid PID [--seconds S]");
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
		fprintf(to, " [%s N]", figures[i].name);
	fprintf(to, "\n\n");
	for (size_t i = 0; scene_at(i); i++)
		fprintf(to, "  %-8s %s\n", scene_at(i)->name, scene_at(i)->help);
}

static void plan_server(struct plan *plan, const char *url)
{
	char host[64];
	unsigned port = 0;
	plan->server.sin_family = AF_INET;
	if (sscanf(url, "%63[0-9.]:%u", host, &port) != 2 || port > 65535 ||
	    inet_pton(AF_INET, host, &plan->server.sin_addr) != 1 ||
	    ntohl(plan->server.sin_addr.s_addr) >> 24 != 127)
		die("--url takes a loopback ADDRESS:PORT, not %s", url);
	plan->server.sin_port = htons((uint16_t)port);
}

static void plan_flavour(struct plan *plan, const char *name)
{
	static const char *const names[] = { "tapecast", "nchan", "bare" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!strcmp(names[i], name)) {
			plan->flavour = (enum flavour)i;
			plan->flavour_name = names[i];
			return;
		}
	die("--flavour takes tapecast, nchan or bare, not %s", name);
}

static void plan_figure(struct plan *plan, const char *name, const char *value)
{
	char *end;
	unsigned long long number = strtoull(value, &end, 10);
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
		if (strcmp(figures[i].name, name))
			continue;
		if (*end || end == value || number > figures[i].max)
			die("%s takes a number up to %zu, not %s", name, figures[i].max, value);
		*(size_t *)(void *)((char *)plan + figures[i].offset) = (size_t)number;
		return;
	}
	die("there is no option %s", name);
}

static void plan_read(struct plan *plan, int argc, char **argv)
{
	for (int i = 2; i < argc; i += 2) {
		const char *name = argv[i], *value = argv[i + 1];
		if (i + 1 == argc)
			die("%s takes a value", name);
		if (!strcmp(name, "--url"))
			plan_server(plan, value);
		else if (!strcmp(name, "--flavour"))
			plan_flavour(plan, value);
		else if (!strcmp(name, "--server-pid"))
			plan->server_pid = (pid_t)strtol(value, NULL, 10);
		else if (!strcmp(name, "--seconds"))
			plan->seconds = strtod(value, NULL);
		else
			plan_figure(plan, name, value);
	}
	if (!plan->server.sin_port || !plan->flavour_name || plan->server_pid <= 0)
		die("--url, --flavour and --server-pid are needed");
	if (plan->payload_bytes < PAYLOAD_MIN || plan->seconds < 0 || plan->seconds > 600)
		die("--payload takes %d or more, --seconds 0 to 600", PAYLOAD_MIN);
}

int main(int argc, char **argv)
{
	const struct scene *scene = argc > 1 ? scene_find(argv[1]) : NULL;
	if (!scene) {
		usage(argc > 1 && !strcmp(argv[1], "--help") ? stdout : stderr);
		return argc > 1 && !strcmp(argv[1], "--help") ? 0 : 2;
	}
	struct rlimit files;
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	struct plan plan = scene->usual;
	plan.payload_bytes = 128;
	plan_read(&plan, argc, argv);
	scene->run(&plan);
	return 0;
}
