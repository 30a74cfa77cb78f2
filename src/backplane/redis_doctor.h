/*
 * redis_doctor: looks at a Redis server, and says what about it would hurt streams.
 *
 * Thread  any; it blocks, 2 seconds a question at most.
 * Promise changes nothing on the server.
 */
#ifndef TAPECAST_BACKPLANE_REDIS_DOCTOR_H
#define TAPECAST_BACKPLANE_REDIS_DOCTOR_H

#include "backplane/redis.h"

enum finding_level { FINDING_FINE, FINDING_ADVICE, FINDING_WRONG };

struct finding {
	enum finding_level level;
	const char *what;
	const char *mend; /* a line for redis-cli, or what to do; "" if nothing is to be done */
};

struct redis_doctor {
	struct redis_place place;
	char password[REDIS_PASSWORD_MAX]; /* "": none */
	uint64_t (*wall_ms)(void *arg);
	void (*found)(void *arg, const struct finding *finding);
	void *arg;
};

/* ERR_UNAVAILABLE with a note: nobody answers; ERR_DENIED: it wants a password, or another. */
enum err redis_doctor_look(const struct redis_doctor *doctor) ERR_CHECKED;

#endif
