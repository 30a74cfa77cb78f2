/*
 * refusal: an HTTP status that is no success, in words: the server's problem document if there is
 *          one, and a hint at what helps.
 */
#ifndef TAPECAST_CLI_REFUSAL_H
#define TAPECAST_CLI_REFUSAL_H

#include "cli/http.h"

enum { REFUSAL_BYTES_MAX = 65536 };

/* Reads the rest of http's answer and tells it. Returns the exit code: EXIT_UNAVAILABLE for what a
 * later attempt may mend (429, 502, 503, 504), else EXIT_REFUSED. */
int refusal_tell(const char *command, struct http *http);

/* Pure: "404: No such stream: detail" into buf, from a problem document or any other body. */
void refusal_words(const struct answer *answer, struct slice body, struct buf *buf);

#endif
