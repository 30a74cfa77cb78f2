/*
 * support: what the front's unit tests share.
 */
#ifndef TAPECAST_TESTS_FRONT_SUPPORT_H
#define TAPECAST_TESTS_FRONT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"

#define TEST(fn) cmocka_unit_test_teardown(fn, gives_back_all)

static inline int gives_back_all(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1;
}

static inline void assert_slice(struct slice slice, const char *text)
{
	assert_int_equal(slice.bytes, strlen(text));
	assert_memory_equal(slice.at, text, slice.bytes);
}

/* The thread's note says so. */
static inline void assert_noted(const char *text)
{
	if (!strstr(err_note_text(), text))
		fail_msg("the note is \"%s\", without \"%s\"", err_note_text(), text);
}

#endif
