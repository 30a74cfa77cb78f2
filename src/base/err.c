#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERR(name, text) { #name, text },
static const struct {
	const char *name;
	const char *text;
} rows[ERR_COUNT] = {
	{ "OK", "fine" },
#include "base/err_table.h"
};
#undef ERR

static _Thread_local char note[ERR_NOTE_BYTES_MAX];

const char *err_name(enum err err)
{
	return (unsigned)err < ERR_COUNT ? rows[err].name : "?";
}

const char *err_text(enum err err)
{
	return (unsigned)err < ERR_COUNT ? rows[err].text : "?";
}

enum err err_note(enum err err, const char *format, ...)
{
	/* Formatted aside, so that the old note may be one of the arguments. */
	char fresh[ERR_NOTE_BYTES_MAX] = "";
	va_list args;
	va_start(args, format);
	(void)vsnprintf(fresh, sizeof fresh, format, args);
	va_end(args);
	memcpy(note, fresh, sizeof note);
	return err;
}

enum err err_prefix(enum err err, const char *format, ...)
{
	char prefix[ERR_NOTE_BYTES_MAX] = "";
	va_list args;
	va_start(args, format);
	(void)vsnprintf(prefix, sizeof prefix, format, args);
	va_end(args);

	char rest[ERR_NOTE_BYTES_MAX];
	memcpy(rest, note, sizeof rest);
	return err_note(err, "%s: %s", prefix, rest[0] ? rest : err_text(err));
}

const char *err_note_text(void)
{
	return note;
}

void err_note_clear(void)
{
	note[0] = '\0';
}
