/*
 * node: one server, all its floors tied together.
 *
 * Owns    the backplane, the hub, the feed, the engine, the doors, the threads of the loops.
 * Thread  main.
 * Bound   descriptors: what the system allows, less a reserve, is shared out between requests and
 *         listeners before the first comes.
 */
#ifndef TAPECAST_SERVE_NODE_H
#define TAPECAST_SERVE_NODE_H

#include "delivery/engine.h"
#include "serve/options.h"
#include "world/listen.h"

struct node;

enum { NODE_RESERVE_FDS = 64 };

/* How many descriptors may be whose. */
struct share {
	size_t sessions;
	uint32_t requests; /* of each daemon */
};

/* descriptors: what the process may have; daemons: loops times addresses. */
struct share node_share(size_t descriptors, size_t sessions_wanted, size_t requests_wanted,
			size_t daemons);

/* ERR_SYNTAX (an address, a key), ERR_DENIED (--dev on an address that is not loopback; nothing is
 * said of who is let in), ERR_SYSTEM
 * (cannot listen), ERR_NOMEM. Options must outlive the node. */
enum err node_new(const struct options *options, size_t descriptors, struct node **ret_node)
	ERR_CHECKED;
/* Stops the threads first, if they run. */
void node_free(struct node **node);

/* Starts the loops' threads. ERR_SYSTEM. */
enum err node_start(struct node *node) ERR_CHECKED;
/* What is due besides the loops' work; returns in how many ms it wants to be called again. */
int node_turn(struct node *node);
bool node_has_keys(const struct node *node);
/* Reads the keys again; on an error they are those that they were. ERR_SYSTEM, ERR_SYNTAX … */
enum err node_reload_keys(struct node *node) ERR_CHECKED;
/* No new connection, and listeners are let go over window_ms. */
void node_drain(struct node *node, uint32_t window_ms);
/* Listeners are gone and requests answered. */
bool node_idle(const struct node *node);

const struct address *node_address(const struct node *node, size_t index);
/* Where administrators ask; NULL: nowhere. */
const struct address *node_admin_address(const struct node *node);
size_t node_address_count(const struct node *node);
uint64_t node_now_ms(const struct node *node);
/* "backplane", "takeover", loops and sessions: for the log. */
void node_say_start(const struct node *node);

#endif
