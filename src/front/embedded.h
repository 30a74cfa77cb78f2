/*
 * embedded: files that are part of the program; made from src/front by build-aux/embed.
 */
#ifndef TAPECAST_FRONT_EMBEDDED_H
#define TAPECAST_FRONT_EMBEDDED_H

#include <stddef.h>

extern const unsigned char embedded_page[];
extern const size_t embedded_page_bytes;
extern const unsigned char embedded_openapi[];
extern const size_t embedded_openapi_bytes;

#endif
