/*
 * ws_key: what a WebSocket handshake proves with: the client's key, and the server's answer to it.
 *
 * Promise pure.
 */
#ifndef TAPECAST_WIRE_WS_KEY_H
#define TAPECAST_WIRE_WS_KEY_H

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum {
	WS_NONCE_BYTES = 16,
	WS_KEY_TEXT_BYTES = 24, /* base64 of the nonce */
	WS_ACCEPT_TEXT_BYTES = 28,
};

/* A key is base64 of 16 bytes. ERR_SYNTAX with a note. */
enum err ws_key_check(struct slice key) ERR_CHECKED;
/* What Sec-WebSocket-Accept says to this key; no NUL. ERR_SYSTEM: the library has no SHA-1. */
enum err ws_key_accept(struct slice key, char ret_accept[WS_ACCEPT_TEXT_BYTES]) ERR_CHECKED;
/* The key of these random bytes; no NUL. */
void ws_key_write(const uint8_t nonce[WS_NONCE_BYTES], char ret_key[WS_KEY_TEXT_BYTES]);

#endif
