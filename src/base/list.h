/*
 * list: a ring of links that live inside the objects it holds.
 *
 * Owns    nothing.
 * Thread  whoever owns the list.
 * Promise a link that is on no list is empty (points to itself).
 */
#ifndef TAPECAST_BASE_LIST_H
#define TAPECAST_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

static inline void list_init(struct list *link)
{
	link->next = link;
	link->prev = link;
}

static inline bool list_empty(const struct list *link)
{
	return link->next == link;
}

/* At the end: first in, first out with list->next. */
static inline void list_push(struct list *list, struct list *link)
{
	link->prev = list->prev;
	link->next = list;
	list->prev->next = link;
	list->prev = link;
}

/* Takes link off its list; nothing happens if it is on none. */
static inline void list_drop(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* Moves all of `from` to the end of `to`; `from` is empty afterwards. */
static inline void list_splice(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#endif
