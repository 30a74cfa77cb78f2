#include "front/accept.h"

enum { Q_ONE = 1000, SPECIFIC_ANY = 1, SPECIFIC_FAMILY = 2, SPECIFIC_EXACT = 3 };

struct liking {
	int q; /* thousandths; -1: no range matched yet */
	int specific;
};

static struct slice trimmed(struct slice text)
{
	while (text.bytes && (*text.at == ' ' || *text.at == '\t'))
		text = slice_from(text.at + 1, text.bytes - 1);
	while (text.bytes && (text.at[text.bytes - 1] == ' ' || text.at[text.bytes - 1] == '\t'))
		text.bytes--;
	return text;
}

/* The piece before the next `mark`, trimmed; *rest goes on behind it. */
static struct slice cut(struct slice *rest, char mark)
{
	const char *found = rest->bytes ? memchr(rest->at, mark, rest->bytes) : NULL;
	size_t bytes = found ? (size_t)(found - rest->at) : rest->bytes;
	struct slice piece = slice_from(rest->at, bytes);
	*rest = found ? slice_from(found + 1, rest->bytes - bytes - 1) : (struct slice){ 0 };
	return trimmed(piece);
}

/* "0.5" as 500; what is not a q value counts as 1, as if it had not been written. */
static int q_of(struct slice text)
{
	if (text.bytes == 0 || (text.at[0] != '0' && text.at[0] != '1'))
		return Q_ONE;
	int q = text.at[0] == '1' ? Q_ONE : 0;
	int digit = Q_ONE / 10;
	for (size_t i = 2; i < text.bytes && i < 5 && text.at[1] == '.'; i++, digit /= 10) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return Q_ONE;
		q += digit * (text.at[i] - '0');
	}
	return q > Q_ONE ? Q_ONE : q;
}

static int range_matches(struct slice range, struct slice offer)
{
	if (slice_equal_nocase(range, offer))
		return SPECIFIC_EXACT;
	if (slice_equal(range, SLICE("*/*")) || slice_equal(range, SLICE("*")))
		return SPECIFIC_ANY;
	if (range.bytes > 2 && range.at[range.bytes - 1] == '*' && offer.bytes >= range.bytes &&
	    slice_equal_nocase(slice_from(range.at, range.bytes - 1),
			       slice_from(offer.at, range.bytes - 1)))
		return SPECIFIC_FAMILY;
	return 0;
}

/* The most specific range that matches the offer says how much it is liked. */
static void hear(struct liking *liking, struct slice accept, struct slice offer)
{
	while (accept.bytes) {
		struct slice part = cut(&accept, ',');
		struct slice range = cut(&part, ';');
		int specific = range_matches(range, offer);
		if (specific <= liking->specific)
			continue;
		int q = Q_ONE;
		while (part.bytes) {
			struct slice parameter = cut(&part, ';');
			if (parameter.bytes > 2 && (parameter.at[0] | 0x20) == 'q' &&
			    parameter.at[1] == '=')
				q = q_of(slice_from(parameter.at + 2, parameter.bytes - 2));
		}
		*liking = (struct liking){ .q = q, .specific = specific };
	}
}

int accept_choose(const struct slice *accepts, size_t accept_count, const struct slice *offers,
		  size_t offer_count)
{
	bool says_something = false;
	for (size_t i = 0; i < accept_count; i++)
		says_something = says_something || trimmed(accepts[i]).bytes > 0;
	if (!says_something)
		return 0;

	int best_at = -1;
	struct liking best = { .q = 0 };
	for (size_t i = 0; i < offer_count; i++) {
		struct liking liking = { .q = -1 };
		for (size_t j = 0; j < accept_count; j++)
			hear(&liking, accepts[j], offers[i]);
		bool is_better = liking.q > best.q ||
				 (liking.q > 0 && liking.q == best.q &&
				  liking.specific > best.specific);
		if (is_better) {
			best_at = (int)i;
			best = liking;
		}
	}
	return best_at;
}
