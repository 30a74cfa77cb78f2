#include "auth/members.h"

enum { NAMES_BYTES_MAX = 65536 };

/* json_next gives a name without its quotes, which stand around it. */
static struct json_value quoted(struct slice name)
{
	return (struct json_value){ JSON_STRING, slice_from(name.at - 1, name.bytes + 2) };
}

static enum err check_names(struct json_value object, struct buf *names)
{
	size_t begins[MEMBERS_MAX + 1] = { 0 };
	size_t count = 0, at = 0;
	struct slice name;
	struct json_value value;

	while (json_next(object, &at, &name, &value)) {
		if (count == MEMBERS_MAX)
			return err_note(ERR_TOO_MANY, "more than %d members", MEMBERS_MAX);
		enum err err = json_string(quoted(name), names);
		if (err)
			return err;
		begins[++count] = names->bytes;
		struct slice last = slice_from(names->at + begins[count - 1],
					       names->bytes - begins[count - 1]);
		for (size_t i = 0; i + 1 < count; i++) {
			struct slice other =
				slice_from(names->at + begins[i], begins[i + 1] - begins[i]);
			if (slice_equal(last, other))
				return err_note(ERR_SYNTAX, "a member is there twice");
		}
	}
	return OK;
}

enum err members_check(struct json_value object)
{
	struct buf names;

	if (object.kind != JSON_OBJECT)
		return err_note(ERR_SYNTAX, "not a JSON object");
	buf_init(&names, NAMES_BYTES_MAX);
	enum err err = check_names(object, &names);
	buf_fini(&names);
	return err;
}

enum err members_open(struct slice text, struct json_value *ret_object)
{
	enum err err = json_check(text, ret_object);
	return err ? err : members_check(*ret_object);
}

bool members_find(struct json_value object, const char *name, struct json_value *ret_value)
{
	size_t at = 0;
	struct slice raw_name;

	while (json_next(object, &at, &raw_name, ret_value)) {
		if (json_name_is(raw_name, name))
			return true;
	}
	return false;
}
