/* fuzz_name: the four checks of wire/name.h against the rules said once more, in other words. */
#include "fuzz.h"
#include "../wire/naive.h"
#include "wire/name.h"

static bool all_of(struct slice text, const char *bytes)
{
	for (size_t i = 0; i < text.bytes; i++) {
		if (!text.at[i] || !strchr(bytes, text.at[i]))
			return false;
	}
	return true;
}

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool is_name(struct slice name)
{
	char padded[NAME_BYTES_MAX + 3];

	if (name.bytes < 1 || name.bytes > NAME_BYTES_MAX || !all_of(name, ALNUM "-._~:@+/") ||
	    !all_of(slice_from(name.at, 1), ALNUM))
		return false;
	/* Between slashes, every bad segment can be found as text. */
	padded[0] = '/';
	memcpy(padded + 1, name.at, name.bytes);
	padded[name.bytes + 1] = '/';
	padded[name.bytes + 2] = '\0';
	return !strstr(padded, "//") && !strstr(padded, "/./") && !strstr(padded, "/../");
}

static bool is_key(struct slice key)
{
	if (key.bytes < 1 || key.bytes > KEY_BYTES_MAX || !naive_is_text(key))
		return false;
	for (size_t i = 0; i < key.bytes; i++) {
		unsigned char byte = (unsigned char)key.at[i];
		if (byte < 0x20 || byte == 0x7f)
			return false;
		if (byte == 0xc2 && (unsigned char)key.at[i + 1] < 0xa0)
			return false;
	}
	return true;
}

static bool is_idem(struct slice idem)
{
	for (size_t i = 0; i < idem.bytes; i++) {
		if (idem.at[i] <= ' ' || idem.at[i] > '~')
			return false;
	}
	return idem.bytes >= 1 && idem.bytes <= IDEM_BYTES_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = fuzz_slice(data, size);
	bool is_type = size >= 1 && size <= TYPE_BYTES_MAX && all_of(text, ALNUM "._:-") &&
		       !slice_starts(text, SLICE("tapecast."));

	MUST((name_check(text) == OK) == is_name(text));
	MUST((type_check(text) == OK) == is_type);
	MUST((key_check(text) == OK) == is_key(text));
	MUST((idem_check(text) == OK) == is_idem(text));
	return 0;
}
