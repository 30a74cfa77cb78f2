#include "stream/gap.h"

const char *gap_reason_text(enum gap_reason reason)
{
	static const char *const texts[] = {
		[GAP_TRIMMED] = "trimmed", [GAP_SKIPPED] = "skipped", [GAP_EPOCH] = "epoch",
		[GAP_REWOUND] = "rewound", [GAP_INVALID] = "invalid",
	};
	return texts[reason];
}
