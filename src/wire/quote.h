/*
 * quote: text as a JSON string, measured first and then written without a check a byte.
 *
 * Promise pure. Control bytes, the quote and the backslash are escaped, all else stays as it is, so
 *         the result holds no newline.
 */
#ifndef TAPECAST_WIRE_QUOTE_H
#define TAPECAST_WIRE_QUOTE_H

#include "base/slice.h"

/* The bytes that quote_write will write, both quotes included. */
size_t quote_bytes(struct slice text);

/* Writes them and returns the place behind them. */
char *quote_write(struct slice text, char *to);

#endif
