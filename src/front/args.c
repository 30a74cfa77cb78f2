#include "front/args.h"

#include "wire/query.h"

enum { NOTE_VALUE_BYTES_MAX = 60 };

static const struct {
	const char *text;
	unsigned kinds;
} arg_rows[ARG_COUNT] = {
#define ARG(name, text, kinds) { text, kinds },
#include "front/arg_table.h"
#undef ARG
};

void args_init(struct args *args)
{
	*args = (struct args){ 0 };
	buf_init(&args->text, 1 << 20);
}

void args_fini(struct args *args)
{
	buf_fini(&args->text);
	args->stream_count = 0;
	memset(args->values, 0, sizeof args->values);
}

static int shown(struct slice text)
{
	return text.bytes < NOTE_VALUE_BYTES_MAX ? (int)text.bytes : NOTE_VALUE_BYTES_MAX;
}

static bool passes(struct slice name)
{
	return name.bytes == 0 || slice_starts(name, SLICE("utm_")) || name.at[0] == '_';
}

static enum err unknown(struct slice name, unsigned kinds)
{
	char known[ERR_NOTE_BYTES_MAX] = "";
	struct buf list;
	buf_init(&list, sizeof known - 1);
	for (size_t i = 0; i < ARG_COUNT; i++) {
		if (arg_rows[i].kinds & kinds)
			buf_putf(&list, "%s%s", list.bytes ? ", " : "", arg_rows[i].text);
	}
	if (!list.err && list.bytes)
		memcpy(known, list.at, list.bytes);
	buf_fini(&list);
	if (!*known)
		return err_note(ERR_SYNTAX, "unknown parameter \"%.*s\": none is known here",
				shown(name), name.at);
	return err_note(ERR_SYNTAX, "unknown parameter \"%.*s\": known are %s", shown(name),
			name.at, known);
}

static enum err take_stream(struct args *args, struct slice value)
{
	for (size_t i = 0; i < args->stream_count; i++) {
		if (slice_equal(args->streams[i], value))
			return err_note(ERR_SYNTAX, "stream \"%.*s\" is named twice", shown(value),
					value.at);
	}
	if (args->stream_count == ARGS_STREAMS_MAX)
		return err_note(ERR_RANGE, "more than %d streams", ARGS_STREAMS_MAX);
	args->streams[args->stream_count++] = value;
	return OK;
}

static enum err take(struct args *args, unsigned kinds, struct slice name, struct slice value)
{
	for (size_t i = 0; i < ARG_COUNT; i++) {
		bool is_known = (arg_rows[i].kinds & kinds) || i == ARG_ACCESS_TOKEN;
		if (!is_known || !slice_equal(name, slice_of(arg_rows[i].text)))
			continue;
		if (i == ARG_STREAM)
			return take_stream(args, value);
		if (args->values[i].at)
			return err_note(ERR_SYNTAX, "parameter \"%s\" is given twice",
					arg_rows[i].text);
		args->values[i] = value.at ? value : SLICE("");
		return OK;
	}
	return passes(name) ? OK : unknown(name, kinds);
}

enum err args_parse(struct slice query, unsigned kinds, struct args *args)
{
	if (buf_reserve(&args->text, query.bytes) != OK)
		return args->text.err;

	size_t at = 0;
	for (;;) {
		struct slice name;
		struct slice value;
		enum err err = query_next(query, &at, &args->text, &name, &value);
		if (err == ERR_NOT_FOUND)
			return OK;
		if (!err)
			err = take(args, kinds, name, value);
		if (err)
			return err;
	}
}

bool args_has(const struct args *args, enum arg arg)
{
	return args->values[arg].bytes > 0;
}

enum err args_number(const struct args *args, enum arg arg, uint64_t min, uint64_t max,
		     uint64_t otherwise, uint64_t *ret_number)
{
	unsigned long long number = otherwise;
	if (args->values[arg].at &&
	    (!slice_to_u64(args->values[arg], &number) || number < min || number > max))
		return err_note(ERR_RANGE, "%s must be a whole number from %llu to %llu",
				arg_rows[arg].text, (unsigned long long)min,
				(unsigned long long)max);
	*ret_number = number;
	return OK;
}

enum err args_choice(const struct args *args, enum arg arg, const char *no, const char *yes,
		     bool otherwise, bool *ret_yes)
{
	struct slice value = args->values[arg];
	if (!value.at)
		*ret_yes = otherwise;
	else if (slice_equal(value, slice_of(no)))
		*ret_yes = false;
	else if (slice_equal(value, slice_of(yes)))
		*ret_yes = true;
	else
		return err_note(ERR_SYNTAX, "%s is \"%s\" or \"%s\"", arg_rows[arg].text, no, yes);
	return OK;
}
