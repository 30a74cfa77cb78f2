#include "wire/ws_key.h"

#include <gnutls/crypto.h>
#include <string.h>

#include "wire/base64url.h"

enum { SHA1_BYTES = 20, GUID_BYTES = 36 };

static const char guid[GUID_BYTES + 1] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/* The handshake's base64 has the other two digits, and padding. */
static void base64_write(const uint8_t *bytes, size_t count, char *to)
{
	char *end = base64url_write(bytes, count, to);
	for (char *at = to; at < end; at++) {
		if (*at == '-')
			*at = '+';
		else if (*at == '_')
			*at = '/';
	}
	while ((end - to) % 4)
		*end++ = '=';
}

void ws_key_write(const uint8_t nonce[WS_NONCE_BYTES], char ret_key[WS_KEY_TEXT_BYTES])
{
	base64_write(nonce, WS_NONCE_BYTES, ret_key);
}

enum err ws_key_check(struct slice key)
{
	bool good = key.bytes == WS_KEY_TEXT_BYTES && key.at[22] == '=' && key.at[23] == '=';
	for (size_t i = 0; good && i < 22; i++) {
		unsigned char byte = (unsigned char)key.at[i];
		good = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
		       (byte >= '0' && byte <= '9') || byte == '+' || byte == '/';
	}
	return good ? OK : err_note(ERR_SYNTAX, "Sec-WebSocket-Key is base64 of 16 bytes");
}

enum err ws_key_accept(struct slice key, char ret_accept[WS_ACCEPT_TEXT_BYTES])
{
	char text[WS_KEY_TEXT_BYTES + GUID_BYTES];
	uint8_t digest[SHA1_BYTES];
	if (key.bytes != WS_KEY_TEXT_BYTES)
		return ws_key_check(key);
	memcpy(text, key.at, key.bytes);
	memcpy(text + key.bytes, guid, GUID_BYTES);
	int status = gnutls_hash_fast(GNUTLS_DIG_SHA1, text, sizeof text, digest);
	if (status < 0)
		return err_note(ERR_SYSTEM, "SHA-1: %s", gnutls_strerror(status));
	base64_write(digest, SHA1_BYTES, ret_accept);
	return OK;
}
