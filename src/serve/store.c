#include "serve/store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "backplane/memory.h"
#include "backplane/redis.h"

/* The first line of the file. */
static enum err password_read(struct slice file, char ret_password[REDIS_PASSWORD_MAX])
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%.*s",
		       (int)(file.bytes < sizeof path ? file.bytes : sizeof path), file.at);
	FILE *from = fopen(path, "re");
	if (!from)
		return err_note(ERR_SYSTEM, "--redis-password-file: %s: %m", path);
	char *line = fgets(ret_password, REDIS_PASSWORD_MAX, from);
	bool failed = ferror(from) != 0;
	(void)fclose(from);
	size_t bytes = line && !failed ? strcspn(line, "\r\n") : 0;
	ret_password[bytes] = '\0';
	if (bytes == 0 || bytes >= REDIS_PASSWORD_MAX - 1)
		return err_note(ERR_SYNTAX,
				"--redis-password-file: %s has no password of 1 to %d bytes",
				path, REDIS_PASSWORD_MAX - 2);
	return OK;
}

static enum err store_new_redis(const struct options *options, struct redis_config *config,
				struct backplane **ret_backplane)
{
	enum err err = redis_place_parse(options->redis, &config->place);
	if (!err && options->redis_password_file.bytes)
		err = password_read(options->redis_password_file, config->password);
	if (!err)
		err = redis_new(config, ret_backplane);
	return err;
}

enum err store_new(const struct options *options, struct world *world,
		   struct tape_bounds (*bounds_of)(void *arg, struct slice name),
		   struct backplane **ret_backplane)
{
	/* The table wants an argument that is not const, and writes nothing through it. */
	void *bounds_arg = (void *)(uintptr_t)options;
	const struct memory_config memory = {
		.world = world,
		.streams_max = options->stream_max,
		.bytes_max = options->memory_bytes,
		.idem_max = options->memory_keys,
		.idem_window_ms = options->memory_key_window,
		.bounds_of = bounds_of,
		.bounds_arg = bounds_arg,
	};
	struct redis_config redis = {
		.world = world,
		.prefix = options->redis_prefix.bytes ? options->redis_prefix : SLICE("tc1"),
		.streams_max = options->stream_max,
		.data_bytes_max = options->event_bytes,
		.idem_max = options->memory_keys,
		.idem_window_ms = options->memory_key_window,
		.replicas = options->ack_replicas,
		.bounds_of = bounds_of,
		.bounds_arg = bounds_arg,
	};
	if (options->redis.bytes)
		return store_new_redis(options, &redis, ret_backplane);
	return memory_new(&memory, ret_backplane);
}
