/*
 * option_auth: the options that say who is let in.
 */
#include "serve/options_impl.h"

enum { COOKIE_NAME_MAX = 64 };

enum err take_jwt_key(const char *name, struct slice text, struct options *options)
{
	return option_list(name, text, options->jwt_keys, &options->jwt_key_count, AUTH_FILES_MAX);
}

enum err take_api_key(const char *name, struct slice text, struct options *options)
{
	return option_list(name, text, options->api_keys, &options->api_key_count, AUTH_FILES_MAX);
}

static enum err take_text(const char *name, struct slice text, struct slice *ret_text)
{
	if (!text.bytes)
		return err_note(ERR_SYNTAX, "%s: a value is missing", name);
	*ret_text = text;
	return OK;
}

enum err take_jwt_issuer(const char *name, struct slice text, struct options *options)
{
	return take_text(name, text, &options->jwt_issuer);
}

enum err take_jwt_audience(const char *name, struct slice text, struct options *options)
{
	return take_text(name, text, &options->jwt_audience);
}

static enum err take_word(const char *name, struct slice text, const char *no, const char *yes,
			  bool *ret_yes)
{
	bool is_yes = slice_equal(text, slice_of(yes));
	if (!is_yes && !slice_equal(text, slice_of(no)))
		return err_note(ERR_SYNTAX, "%s is %s or %s", name, no, yes);
	*ret_yes = is_yes;
	return OK;
}

enum err take_jwt_exp(const char *name, struct slice text, struct options *options)
{
	return take_word(name, text, "required", "optional", &options->jwt_exp_optional);
}

enum err take_no_auth(const char *name, struct slice text, struct options *options)
{
	return take_word(name, text, "0", "1", &options->no_auth);
}

enum err take_cookie_name(const char *name, struct slice text, struct options *options)
{
	for (size_t i = 0; i < text.bytes; i++) {
		char c = text.at[i];
		bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				(c >= '0' && c <= '9');
		if (!is_alnum && c != '_' && c != '-' && c != '.')
			return err_note(ERR_SYNTAX, "%s has letters, digits and . _ -", name);
	}
	if (!text.bytes || text.bytes > COOKIE_NAME_MAX)
		return err_note(ERR_SYNTAX, "%s has 1 to %d bytes, or is off", name,
				COOKIE_NAME_MAX);
	options->cookie_name = slice_equal(text, SLICE("off")) ? (struct slice){ 0 } : text;
	return OK;
}

enum err take_query_token(const char *name, struct slice text, struct options *options)
{
	return take_word(name, text, "on", "off", &options->no_query_token);
}
