/*
 * plan: what the command line asked for.
 */
#ifndef TAPECAST_BENCH_PLAN_H
#define TAPECAST_BENCH_PLAN_H

#include <netinet/in.h>
#include <stddef.h>
#include <sys/types.h>

enum flavour {
	FLAVOUR_TAPECAST,
	FLAVOUR_NCHAN,
	FLAVOUR_BARE,
};

struct plan {
	struct sockaddr_in server;
	enum flavour flavour;
	const char *flavour_name;
	pid_t server_pid;
	size_t listeners;
	size_t streams;
	size_t idle; /* sessions beside, each on a stream of its own */
	size_t events; /* 0: as many as fit into the time */
	size_t rate; /* events a second */
	size_t think_us; /* between one event's delivery and the next; 0: do not wait for it */
	size_t in_flight;
	size_t connections; /* that publish */
	size_t behind;
	size_t rounds;
	size_t payload_bytes;
	size_t spin; /* 1: never sleep, so that no server pays for waking this program */
	double seconds;
};

/* Connects from one of many loopback addresses, so that ports do not run short, or ends the
 * program. `which` spreads the connections over the addresses. */
int plan_connect(const struct plan *plan, size_t which);

#endif
