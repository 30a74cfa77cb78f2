/*
 * accept: which of a few media types an Accept header likes best (RFC 9110, 12.5.1).
 *
 * Promise pure. The highest q wins; equal q: the range that names the type beats one that matches
 *         by "*"; then the order of the offers. Nothing said: the first offer.
 */
#ifndef TAPECAST_FRONT_ACCEPT_H
#define TAPECAST_FRONT_ACCEPT_H

#include "base/slice.h"

/* Index of the offer ("text/event-stream"…), or -1: none will do. */
int accept_choose(const struct slice *accepts, size_t accept_count, const struct slice *offers,
		  size_t offer_count);

#endif
