/*
 * memory_idem: the idempotency keys of one stream, in two generations.
 */
#include "backplane/memory_impl.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"

enum { IDEM_FIRST_SLOTS = 8 };

static struct idem_entry *table_slot(const struct idem_table *table,
				     const uint8_t key[IDEM_KEY_BYTES])
{
	size_t mask = table->slot_count - 1;
	/* The digest alone would let a client choose keys that share a slot. */
	size_t i = hash_name(slice_from((const char *)key, IDEM_KEY_BYTES)) & mask;
	while (table->slots[i].last_seq && memcmp(table->slots[i].key, key, IDEM_KEY_BYTES) != 0)
		i = (i + 1) & mask;
	return &table->slots[i];
}

static void table_clear(struct idem_table *table)
{
	mem_free(table->slots);
	*table = (struct idem_table){ 0 };
}

void idem_clear(struct idem *idem)
{
	table_clear(&idem->young);
	table_clear(&idem->old);
}

static void idem_rotate(struct idem *idem, uint64_t now_ms)
{
	table_clear(&idem->old);
	idem->old = idem->young;
	idem->young = (struct idem_table){ 0 };
	idem->young_since_ms = now_ms;
}

void idem_age(struct idem *idem, uint64_t window_ms, uint64_t now_ms)
{
	uint64_t age_ms = now_ms - idem->young_since_ms;
	if (age_ms < window_ms)
		return;
	idem_rotate(idem, now_ms);
	if (age_ms / 2 >= window_ms)
		table_clear(&idem->old);
}

const struct idem_entry *idem_find(const struct idem *idem, const uint8_t key[IDEM_KEY_BYTES])
{
	const struct idem_table *tables[] = { &idem->young, &idem->old };
	for (size_t i = 0; i < 2; i++) {
		if (tables[i]->count == 0)
			continue;
		const struct idem_entry *entry = table_slot(tables[i], key);
		if (entry->last_seq)
			return entry;
	}
	return NULL;
}

enum err idem_reserve(struct idem *idem, size_t idem_max, uint64_t now_ms)
{
	if (idem->young.count >= idem_max)
		idem_rotate(idem, now_ms);
	struct idem_table *table = &idem->young;
	/* A quarter stays free, so that a probe ends. */
	if (table->count + 1 <= table->slot_count / 4 * 3)
		return OK;

	struct idem_table wider = {
		.slot_count = table->slot_count ? table->slot_count * 2 : IDEM_FIRST_SLOTS,
		.count = table->count,
	};
	wider.slots = mem_zalloc_array(wider.slot_count, sizeof *wider.slots);
	if (!wider.slots)
		return ERR_NOMEM;
	for (size_t i = 0; i < table->slot_count; i++) {
		if (table->slots[i].last_seq)
			*table_slot(&wider, table->slots[i].key) = table->slots[i];
	}
	mem_free(table->slots);
	*table = wider;
	return OK;
}

void idem_put(struct idem *idem, const struct idem_entry *entry)
{
	struct idem_entry *slot = table_slot(&idem->young, entry->key);
	MUST(slot->last_seq == 0 && entry->last_seq != 0);
	*slot = *entry;
	idem->young.count++;
}

/* A key that stays must still be found by its probe, so all are put in anew. Without memory for
 * that all are forgotten: this is what a failing store does, and only tests ask for it. */
static void table_rewind(struct idem_table *table, uint64_t seq)
{
	struct idem_table kept = { .slot_count = table->slot_count };
	if (table->count)
		kept.slots = mem_zalloc_array(kept.slot_count, sizeof *kept.slots);
	for (size_t i = 0; kept.slots && i < table->slot_count; i++) {
		const struct idem_entry *entry = &table->slots[i];
		if (entry->last_seq && entry->last_seq <= seq) {
			*table_slot(&kept, entry->key) = *entry;
			kept.count++;
		}
	}
	table_clear(table);
	if (kept.slots)
		*table = kept;
}

void idem_rewind(struct idem *idem, uint64_t seq)
{
	table_rewind(&idem->young, seq);
	table_rewind(&idem->old, seq);
}

size_t idem_weight(const struct idem *idem)
{
	return (idem->young.slot_count + idem->old.slot_count) * sizeof *idem->young.slots;
}
