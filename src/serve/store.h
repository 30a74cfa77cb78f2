/*
 * store: which backplane a node has, as its options say.
 *
 * Thread  main, at start.
 */
#ifndef TAPECAST_SERVE_STORE_H
#define TAPECAST_SERVE_STORE_H

#include "backplane/backplane.h"
#include "serve/options.h"
#include "world/world.h"

/* bounds_of is given the options. ERR_SYNTAX, ERR_SYSTEM (the password's file), ERR_NOMEM. */
enum err store_new(const struct options *options, struct world *world,
		   struct tape_bounds (*bounds_of)(void *arg, struct slice name),
		   struct backplane **ret_backplane) ERR_CHECKED;

#endif
