/*
 * base64url: RFC 4648, section 5, as JSON Web Signatures use it: without padding, and strict.
 *
 * Thread  any.
 * Promise pure. One text for each run of bytes: padding, white space, other alphabets and set bits
 *         behind the last byte are refused, so that a token cannot be written in two ways.
 */
#ifndef TAPECAST_AUTH_BASE64URL_H
#define TAPECAST_AUTH_BASE64URL_H

#include "base/buf.h"

/* Puts the bytes that text stands for. ERR_SYNTAX with a note; buf is then as it was. */
enum err base64url_decode(struct slice text, struct buf *buf) ERR_CHECKED;
enum err base64url_encode(struct slice bytes, struct buf *buf) ERR_CHECKED;

#endif
