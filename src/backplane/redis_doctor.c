#include "backplane/redis_doctor.h"

#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

enum { ANSWER_S = 2, VALUE_MAX = 256, CLOCK_MS_ADVICE = 1000, CLOCK_MS_WRONG = 30000 };

static const long long buffer_bytes_wanted = 128ll << 20;

struct look {
	const struct redis_doctor *doctor;
	redisContext *server;
};

__attribute__((format(printf, 4, 5))) static void found(const struct look *look,
							 enum finding_level level,
							 const char *mend, const char *format, ...)
{
	char what[400];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(what, sizeof what, format, args);
	va_end(args);
	look->doctor->found(look->doctor->arg, &(struct finding){ level, what, mend });
}

static enum err connect_to(const struct redis_address *address, const char *path,
			   redisContext **ret_server)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };
	redisContext *server = path ? redisConnectUnixWithTimeout(path, patience) :
				      redisConnectWithTimeout(address->host, address->port,
							      patience);
	if (!server)
		return ERR_NOMEM;
	if (server->err || redisSetTimeout(server, patience) != REDIS_OK) {
		enum err err = path ? err_note(ERR_UNAVAILABLE, "%s: %s", path, server->errstr) :
				      err_note(ERR_UNAVAILABLE, "%s port %u: %s", address->host,
					       (unsigned)address->port, server->errstr);
		redisFree(server);
		return err;
	}
	*ret_server = server;
	return OK;
}

/* NULL: no answer. The caller frees it. */
static redisReply *ask(redisContext *server, const char *const *words, int count)
{
	const char *argv[8];
	for (int i = 0; i < count; i++)
		argv[i] = words[i];
	return redisCommandArgv(server, count, argv, NULL);
}

#define ASK(server, ...) \
	ask(server, (const char *const[]){ __VA_ARGS__ }, \
	    (int)(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)))

static bool is_text(const redisReply *reply)
{
	return reply && (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS);
}

/* The value of "name:value" on a line; false: there is none. */
static bool info_value(const redisReply *info, const char *name, char ret_value[VALUE_MAX])
{
	size_t name_bytes = strlen(name);
	if (!is_text(info))
		return false;
	for (const char *line = info->str; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, name_bytes) != 0 || line[name_bytes] != ':')
			continue;
		size_t bytes = strcspn(line + name_bytes + 1, "\r\n");
		(void)snprintf(ret_value, VALUE_MAX, "%.*s", (int)(bytes < 200 ? bytes : 200),
			       line + name_bytes + 1);
		return true;
	}
	return false;
}

/* False: it may not be asked, or knows no such thing. */
static bool config_value(redisContext *server, const char *name, char ret_value[VALUE_MAX])
{
	redisReply *reply = ASK(server, "CONFIG", "GET", name);
	bool known = reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
		     is_text(reply->element[1]);
	if (known)
		(void)snprintf(ret_value, VALUE_MAX, "%s", reply->element[1]->str);
	freeReplyObject(reply);
	return known;
}

static void look_at_version(const struct look *look)
{
	char version[VALUE_MAX] = "", mode[VALUE_MAX] = "";
	redisReply *info = ASK(look->server, "INFO", "server");

	if (!info_value(info, "redis_version", version)) {
		found(look, FINDING_WRONG, "allow the user +info", "INFO is not answered");
	} else if (strtol(version, NULL, 10) < 6) {
		found(look, FINDING_WRONG, "install Redis 7", "Redis %s is too old", version);
	} else if (strtol(version, NULL, 10) < 7) {
		found(look, FINDING_ADVICE, "install Redis 7",
		      "Redis %s: the tests run with 7.0", version);
	} else {
		found(look, FINDING_FINE, "", "Redis %s", version);
	}
	if (info_value(info, "redis_mode", mode) && strcmp(mode, "cluster") == 0)
		found(look, FINDING_WRONG, "use one server, or servers with Sentinel",
		      "it is a node of a Redis Cluster");
	freeReplyObject(info);
}

static void look_at_replicas(const struct look *look)
{
	char role[VALUE_MAX] = "", count[VALUE_MAX] = "0", least[VALUE_MAX] = "";
	char host[VALUE_MAX] = "", port[VALUE_MAX] = "";
	redisReply *info = ASK(look->server, "INFO", "replication");

	(void)info_value(info, "role", role);
	(void)info_value(info, "connected_slaves", count);
	(void)info_value(info, "master_host", host);
	(void)info_value(info, "master_port", port);
	freeReplyObject(info);
	if (strcmp(role, "slave") == 0) {
		found(look, FINDING_WRONG, "name its primary in --redis",
		      "it is a replica of %s port %s, and takes no publishes", host, port);
		return;
	}
	if (strcmp(count, "0") == 0) {
		found(look, FINDING_ADVICE, "on a second server: REPLICAOF its-host its-port",
		      "it has no replica: what it loses is lost");
		return;
	}
	found(look, FINDING_FINE, "", "replicas: %s", count);
	if (config_value(look->server, "min-replicas-to-write", least) && strcmp(least, "0") == 0)
		found(look, FINDING_ADVICE, "CONFIG SET min-replicas-to-write 1",
		      "cut off from its replicas it goes on taking publishes, which a failover "
		      "then loses");
}

static void look_at_memory(const struct look *look)
{
	char policy[VALUE_MAX] = "", bytes[VALUE_MAX] = "";

	if (!config_value(look->server, "maxmemory-policy", policy) ||
	    !config_value(look->server, "maxmemory", bytes))
		return;
	if (strcmp(policy, "noeviction") != 0)
		found(look, strcmp(bytes, "0") == 0 ? FINDING_ADVICE : FINDING_WRONG,
		      "CONFIG SET maxmemory-policy noeviction",
		      "maxmemory-policy %s throws streams away when it is full", policy);
	else
		found(look, FINDING_FINE, "", "nothing is evicted");
	if (strcmp(bytes, "0") == 0)
		found(look, FINDING_ADVICE, "CONFIG SET maxmemory 1gb (or what the machine has)",
		      "its memory has no bound: the system ends it when there is no more");
}

static void look_at_disk(const struct look *look)
{
	char aof[VALUE_MAX] = "", sync[VALUE_MAX] = "", status[VALUE_MAX] = "";
	redisReply *info = ASK(look->server, "INFO", "persistence");

	if ((info_value(info, "aof_last_write_status", status) && strcmp(status, "ok") != 0) ||
	    (info_value(info, "rdb_last_bgsave_status", status) && strcmp(status, "ok") != 0))
		found(look, FINDING_WRONG, "read its log; is the disk full?",
		      "it cannot write to its disk");
	freeReplyObject(info);
	if (!config_value(look->server, "appendonly", aof) ||
	    !config_value(look->server, "appendfsync", sync))
		return;
	if (strcmp(aof, "yes") != 0)
		found(look, FINDING_WRONG, "CONFIG SET appendonly yes",
		      "what was published since the last snapshot is lost when it ends");
	else if (strcmp(sync, "no") == 0)
		found(look, FINDING_ADVICE, "CONFIG SET appendfsync everysec",
		      "the system decides when the log reaches the disk");
	else
		found(look, FINDING_FINE, "", "appendonly yes, appendfsync %s", sync);
}

/* "… pubsub 33554432 8388608 60": beyond the first, a subscriber is cut off at once. */
static void look_at_buffers(const struct look *look)
{
	char limits[VALUE_MAX] = "";

	if (!config_value(look->server, "client-output-buffer-limit", limits))
		return;
	const char *at = strstr(limits, "pubsub ");
	long long hard = at ? strtoll(at + 7, NULL, 10) : 0;
	if (hard > 0 && hard < buffer_bytes_wanted)
		found(look, FINDING_ADVICE,
		      "CONFIG SET client-output-buffer-limit \"pubsub 256mb 64mb 60\"",
		      "a node that falls %lld MB behind is cut off, and has to catch up",
		      hard >> 20);
	else
		found(look, FINDING_FINE, "", "subscribers may fall behind for a while");
}

static void look_at_clock(const struct look *look)
{
	redisReply *reply = ASK(look->server, "TIME");

	if (reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	    is_text(reply->element[0])) {
		long long there_ms = strtoll(reply->element[0]->str, NULL, 10) * 1000;
		long long here_ms = (long long)look->doctor->wall_ms(look->doctor->arg);
		long long apart_ms = here_ms > there_ms ? here_ms - there_ms : there_ms - here_ms;
		if (apart_ms > CLOCK_MS_ADVICE + 1000)
			found(look, apart_ms > CLOCK_MS_WRONG ? FINDING_WRONG : FINDING_ADVICE,
			      "run chrony or another NTP client on both machines",
			      "its clock and this one are %lld s apart", apart_ms / 1000);
		else
			found(look, FINDING_FINE, "", "the clocks agree");
	}
	freeReplyObject(reply);
}

static void look_at_rights(const struct look *look)
{
	char value[VALUE_MAX];
	redisReply *reply = ASK(look->server, "EVAL", "return 1", "0");

	if (!reply || reply->type == REDIS_REPLY_ERROR)
		found(look, FINDING_WRONG, "allow the user +eval +evalsha +script|load",
		      "scripts are refused: %s", reply ? reply->str : "no answer");
	freeReplyObject(reply);
	if (!config_value(look->server, "maxmemory", value))
		found(look, FINDING_ADVICE, "ask once as a user that may +config|get",
		      "its settings cannot be read, so nothing is said of them");
}

static enum err log_in(const struct redis_doctor *doctor, redisContext *server)
{
	redisReply *reply = NULL;
	if (*doctor->password && *doctor->place.user)
		reply = ASK(server, "AUTH", doctor->place.user, doctor->password);
	else if (*doctor->password)
		reply = ASK(server, "AUTH", doctor->password);
	else
		reply = ASK(server, "PING");
	enum err err = OK;
	if (!reply)
		err = err_note(ERR_UNAVAILABLE, "Redis: %s", server->errstr);
	else if (reply->type == REDIS_REPLY_ERROR)
		err = err_note(ERR_DENIED, "Redis says: %.200s", reply->str);
	freeReplyObject(reply);
	return err;
}

/* Asks every sentinel, and believes the first. ERR_UNAVAILABLE: none knows. */
static enum err find_primary(const struct redis_doctor *doctor, struct redis_address *ret_address)
{
	const struct redis_place *place = &doctor->place;
	const struct look look = { .doctor = doctor };
	size_t known_count = 0;

	for (size_t i = 0; i < place->sentinel_count; i++) {
		redisContext *sentinel = NULL;
		if (connect_to(&place->sentinels[i], NULL, &sentinel) != OK) {
			found(&look, FINDING_WRONG, "start it, or take it out of --redis",
			      "no answer from the sentinel %s", err_note_text());
			continue;
		}
		redisReply *reply = ASK(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME",
					place->master);
		bool knows = reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
			     is_text(reply->element[0]) && is_text(reply->element[1]);
		if (!knows)
			found(&look, FINDING_WRONG, "SENTINEL MONITOR, on that sentinel",
			      "the sentinel %s port %u knows no %s", place->sentinels[i].host,
			      (unsigned)place->sentinels[i].port, place->master);
		else if (known_count++ == 0) {
			(void)snprintf(ret_address->host, sizeof ret_address->host, "%s",
				       reply->element[0]->str);
			ret_address->port = (uint16_t)strtoul(reply->element[1]->str, NULL, 10);
		}
		freeReplyObject(reply);
		redisFree(sentinel);
	}
	if (known_count == 0)
		return err_note(ERR_UNAVAILABLE, "no sentinel knows %s", place->master);
	if (place->sentinel_count < 3)
		found(&look, FINDING_ADVICE, "run three, on three machines",
		      "fewer than three sentinels cannot agree when one of them is lost");
	found(&look, FINDING_FINE, "", "the primary is %s port %u", ret_address->host,
	      (unsigned)ret_address->port);
	return OK;
}

enum err redis_doctor_look(const struct redis_doctor *doctor)
{
	struct look look = { .doctor = doctor };
	struct redis_address address = { .port = doctor->place.port };
	bool is_path = !doctor->place.sentinel_count && !doctor->place.port;
	enum err err = OK;

	memcpy(address.host, doctor->place.host, sizeof address.host);
	if (doctor->place.sentinel_count)
		err = find_primary(doctor, &address);
	if (!err)
		err = connect_to(&address, is_path ? address.host : NULL, &look.server);
	if (err)
		return err;
	err = log_in(doctor, look.server);
	if (!err) {
		look_at_version(&look);
		look_at_rights(&look);
		look_at_disk(&look);
		look_at_memory(&look);
		look_at_buffers(&look);
		look_at_replicas(&look);
		look_at_clock(&look);
		if (look.server->err)
			err = err_note(ERR_UNAVAILABLE, "Redis: %s", look.server->errstr);
	}
	redisFree(look.server);
	return err;
}
