#include "wire/chunk.h"

#include "base/must.h"

enum err chunk_open(struct buf *buf, size_t *ret_mark)
{
	*ret_mark = buf->bytes;
	return buf_put(buf, SLICE("000000\r\n"));
}

enum err chunk_close(struct buf *buf, size_t mark)
{
	static const char digits[] = "0123456789abcdef";
	MUST(buf->bytes >= mark + CHUNK_HEAD_BYTES);
	size_t bytes = buf->bytes - mark - CHUNK_HEAD_BYTES;
	if (bytes == 0) {
		buf->bytes = mark;
		return OK;
	}
	enum err err = OK;
	if (bytes > CHUNK_BYTES_MAX)
		err = err_note(ERR_TOO_BIG, "a chunk holds %d bytes, not %zu", CHUNK_BYTES_MAX,
			       bytes);
	if (err == OK)
		err = buf_put(buf, SLICE("\r\n"));
	if (err) {
		buf->bytes = mark;
		return err;
	}
	for (int i = CHUNK_DIGITS - 1; i >= 0; i--, bytes >>= 4)
		buf->at[mark + (size_t)i] = digits[bytes & 15];
	return OK;
}
