/*
 * read: what a listener asks for, as a ticket.
 */
#ifndef TAPECAST_FRONT_READ_H
#define TAPECAST_FRONT_READ_H

#include "front/visit.h"

/* Turned away for now: what lets an EventSource come back by itself; others get 503. */
enum step read_turned_away(struct visit *visit, bool is_sse, enum err err);

/* --- pages (page.c) --- */

/* Everything that makes the answer later, when the connection is no longer libmicrohttpd's. */
struct page_order;

/* limit, If-None-Match and the CORS fields are copied. ERR_NOMEM. */
enum err page_order_new(struct visit *visit, uint32_t limit, struct page_order **ret_order)
	ERR_CHECKED;
void page_order_free(void *order);
answer_fn page_answer;

#endif
