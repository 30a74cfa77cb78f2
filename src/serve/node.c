#include "serve/node.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "backplane/feed.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/say.h"
#include "front/caller.h"
#include "front/door.h"
#include "serve/measure.h"
#include "serve/store.h"
#include "world/port.h"

#define NODE_TAG 0x120de5e7u

enum {
	TURN_MS = 250, /* of what can only be late when something failed */
	TURN_LOSSY_MS = 50, /* where a lost push must be found */
	HUB_TURN_MS = 1000,
	LOOP_WAIT_MS = 1000,
};

struct runner {
	struct node *node;
	struct loop *loop;
	struct door *door;
	pthread_t thread;
	bool runs;
	struct task stop;
};

struct node {
	uint32_t tag;
	const struct options *options;
	struct world *world;
	struct front_settings settings;
	struct auth *auth; /* NULL: nobody is asked */
	struct backplane *backplane;
	struct hub *hub;
	struct feed *feed;
	struct engine *engine;
	struct runner runners[ENGINE_LOOPS_MAX];
	uint32_t runner_count;
	struct address addresses[OPTIONS_LISTEN_MAX];
	size_t address_count;
	struct address admin; /* bytes 0: none */
	size_t sessions_max;
	uint64_t started_ms;
	atomic_bool draining;
	enum takeover_way way;
	atomic_bool stopping;
	uint64_t hub_due_ms;
};

struct share node_share(size_t descriptors, size_t sessions_wanted, size_t requests_wanted,
			size_t daemons)
{
	size_t free_count = descriptors > NODE_RESERVE_FDS ? descriptors - NODE_RESERVE_FDS : 0;
	/* A loop has a few of its own, and a listening socket an epoll set and an eventfd. */
	size_t own = daemons * 8;
	free_count = free_count > own ? free_count - own : 0;
	/* Requests are short: a quarter is plenty, and enough where there is little. */
	size_t requests = free_count / 4 / daemons;
	if (requests > requests_wanted)
		requests = requests_wanted;
	if (requests < 4)
		requests = 4;
	size_t sessions = free_count > requests * daemons ? free_count - requests * daemons : 1;
	if (sessions > sessions_wanted)
		sessions = sessions_wanted;
	return (struct share){ .sessions = sessions, .requests = (uint32_t)requests };
}

/* For the metrics, what is known but not counted there. Any thread. */
static void node_measure(void *arg)
{
	struct node *node = arg;
	measure(&(struct measured){
		.backplane = node->backplane,
		.hub = node->hub,
		.engine = node->engine,
		.up_ms = node_now_ms(node) - node->started_ms,
		.draining = atomic_load(&node->draining),
	});
}

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	(void)name;
	const struct options *options = arg;
	return (struct tape_bounds){
		.events_max = (uint32_t)options->stream_events,
		.bytes_max = options->stream_bytes,
		.age_ms_max = options->stream_age,
		.slow = options->stream_slow,
	};
}

static enum err attach(void *arg, struct stream *stream)
{
	return feed_attach(arg, stream);
}

static enum err floors_make(struct node *node)
{
	const struct options *options = node->options;
	/* The table wants an argument that is not const, and writes nothing through it. */
	void *bounds_arg = (void *)(uintptr_t)options;
	struct hub_config hub = {
		.streams_max = options->stream_max,
		.bytes_max = options->stream_tapes,
		.linger_ms = options->stream_linger,
		.bounds_of = bounds_of,
		.arg = bounds_arg,
	};
	enum err err = store_new(options, node->world, bounds_of, &node->backplane);
	if (!err)
		err = hub_new(&hub, &node->hub);
	if (!err)
		err = feed_new(node->world, node->hub, node->backplane, &node->feed);
	if (err)
		return err;

	size_t per_address = options->session_per_address;
	struct engine_config engine = {
		.world = node->world,
		.hub = node->hub,
		.loop_count = node->runner_count,
		.sessions_max = node->sessions_max,
		.sessions_per_address_max = per_address ? per_address : node->sessions_max,
		.heartbeat_ms = (uint32_t)options->session_heartbeat,
		.dead_ms = (uint32_t)options->session_dead,
		.retry_min_ms = (uint32_t)options->session_retry_min,
		.retry_max_ms = (uint32_t)options->session_retry_max,
		.open_ms = (uint32_t)options->session_open,
		.attach = attach,
		.attach_arg = node->feed,
		.may_read = caller_may_read,
		.may_read_arg = node->auth,
	};
	return engine_new(&engine, &node->engine);
}

static void settings_make(struct node *node, uint32_t requests_max)
{
	const struct options *options = node->options;
	node->settings = (struct front_settings){
		.dev = options->dev,
		.event_bytes_max = options->event_bytes,
		.batch_bytes_max = options->batch_bytes,
		.head_bytes_max = options->request_head_bytes,
		.requests_max = requests_max,
		.head_ms = (uint32_t)options->request_head,
		.body_ms = (uint32_t)options->request_body,
		.ingest_idle_ms = (uint32_t)options->request_idle,
		.dead_ms = (uint32_t)options->session_dead,
		.retry_min_ms = (uint32_t)options->session_retry_min,
		.retry_max_ms = (uint32_t)options->session_retry_max,
		.page_events_max = (uint32_t)options->page_events,
		.page_bytes_max = options->page_bytes,
		.origin_count = options->origin_count,
		.cookie_name = options->cookie_name,
		.token_in_query = !options->no_query_token,
		.measure = node_measure,
		.measure_arg = node,
	};
	memcpy(node->settings.origins, options->origins, sizeof node->settings.origins);
}

static enum err auth_make(struct node *node)
{
	const struct options *options = node->options;
	struct auth_config config = {
		.key_files = options->jwt_keys,
		.key_file_count = options->jwt_key_count,
		.api_key_files = options->api_keys,
		.api_key_file_count = options->api_key_count,
		.issuer = options->jwt_issuer,
		.audience = options->jwt_audience,
		.leeway_ms = options->jwt_leeway,
		.exp_optional = options->jwt_exp_optional,
		.cached_max = options->jwt_cached,
	};
	bool has_keys = options->jwt_key_count || options->api_key_count;
	if (has_keys && options->no_auth)
		return err_note(ERR_SYNTAX, "--no-auth asks nobody, so --jwt-key and --api-key "
					    "would be for nothing: say one or the other");
	if (!has_keys && !options->no_auth && !options->dev)
		return err_note(ERR_DENIED, "say who is let in: --jwt-key FILE (tapecast token "
					    "keygen makes one), --api-key FILE, or --no-auth if "
					    "whoever reaches the port may read and write");
	return has_keys ? auth_new(&config, &node->auth) : OK;
}

bool node_has_keys(const struct node *node)
{
	return node->auth != NULL;
}

enum err node_reload_keys(struct node *node)
{
	MUST_BE(node, NODE_TAG);
	return node->auth ? auth_reload(node->auth) : OK;
}

static enum err addresses_read(struct node *node)
{
	for (size_t i = 0; i < node->options->listen_count; i++) {
		struct address *address = &node->addresses[i];
		enum err err = address_parse(node->options->listen[i], address);
		if (err)
			return err_prefix(err, "--listen");
		if (node->options->dev && !address_is_loopback(address))
			return err_note(ERR_DENIED,
					"--dev asks nobody who they are, so it listens on this "
					"machine alone: --listen 127.0.0.1:8080");
		/* Elsewhere a new server may share the port until the old one has gone. */
		err = node->options->dev ? port_check(address) : OK;
		if (err)
			return err;
		node->address_count++;
	}
	return OK;
}

/* Administrators' socket is shared with nobody: each node has numbers of its own. Without a word
 * from the operator the usual port is a wish. */
static enum err admin_read(struct node *node)
{
	const struct options *options = node->options;
	if (slice_equal(options->admin, SLICE("off")))
		return OK;
	enum err err = address_parse(options->admin, &node->admin);
	if (!err && options->dev && !address_is_loopback(&node->admin))
		err = err_note(ERR_DENIED, "--dev asks nobody who they are, so administrators are "
					   "heard on this machine alone: 127.0.0.1:8081");
	if (err)
		return err_prefix(err, "--admin");
	err = port_check(&node->admin);
	if (err && !options->admin_given)
		return address_parse(SLICE("127.0.0.1:0"), &node->admin);
	return err ? err_prefix(err, "--admin") : OK;
}

/* A loop's door: a socket of its own for each address, so that the kernel spreads connections. The
 * first loop learns which port 0 has become. */
static enum err door_make(struct node *node, struct runner *runner)
{
	int fds[OPTIONS_LISTEN_MAX + 1];
	size_t admin_count = runner == node->runners && node->admin.bytes;
	size_t count = 0;
	enum err err = OK;
	while (count < node->address_count && !err) {
		err = listen_on(&node->addresses[count], &fds[count]);
		if (!err)
			listen_bound_send(fds[count], node->options->session_sndbuf);
		count += !err;
	}
	if (!err && admin_count) {
		err = listen_on(&node->admin, &fds[count]);
		count += !err;
	}
	if (err) {
		while (count > 0)
			node->world->ops->close(node->world, fds[--count]);
		return err;
	}
	struct door_config config = {
		.world = node->world,
		.engine = node->engine,
		.loop = runner->loop,
		.backplane = node->backplane,
		.auth = node->auth,
		.settings = &node->settings,
		.way = node->way,
		.listen_fds = fds,
		.listen_count = count,
		.admin_count = admin_count,
		.hub = node->hub,
	};
	return door_new(&config, &runner->door);
}

static uint32_t loops_wanted(const struct options *options)
{
	if (options->loop_count)
		return (uint32_t)options->loop_count;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	if (processors < 1)
		return 1;
	return processors > ENGINE_LOOPS_MAX ? ENGINE_LOOPS_MAX : (uint32_t)processors;
}

enum err node_new(const struct options *options, size_t descriptors, struct node **ret_node)
{
	struct node *node = mem_zalloc(sizeof *node);
	if (!node)
		return ERR_NOMEM;
	node->tag = NODE_TAG;
	node->options = options;
	node->world = world_linux();
	node->runner_count = loops_wanted(options);

	struct share share = node_share(descriptors, options->session_max,
					options->request_connections,
					node->runner_count * options->listen_count + 1);
	node->sessions_max = share.sessions;
	settings_make(node, share.requests);
	node->started_ms = node_now_ms(node);
	enum err err = addresses_read(node);
	if (!err)
		err = auth_make(node);
	if (!err)
		err = admin_read(node);
	if (!err)
		err = takeover_probe(node->world, true, &node->way);
	if (!err)
		err = floors_make(node);
	for (uint32_t i = 0; !err && i < node->runner_count; i++) {
		node->runners[i].node = node;
		node->runners[i].loop = engine_loop(node->engine, i);
		err = door_make(node, &node->runners[i]);
	}
	if (err)
		node_free(&node);
	else
		*ret_node = node;
	return err;
}

static void runner_stop(struct task *task, uint64_t now_ms)
{
	(void)task, (void)now_ms; /* it only wakes the loop */
}

static void *run(void *arg)
{
	struct runner *runner = arg;
	while (!atomic_load(&runner->node->stopping) || door_busy(runner->door))
		(void)loop_turn(runner->loop, LOOP_WAIT_MS);
	return NULL;
}

enum err node_start(struct node *node)
{
	MUST_BE(node, NODE_TAG);
	for (uint32_t i = 0; i < node->runner_count; i++) {
		struct runner *runner = &node->runners[i];
		if (pthread_create(&runner->thread, NULL, run, runner) != 0)
			return err_note(ERR_SYSTEM, "no thread for loop %u", i);
		runner->runs = true;
	}
	return OK;
}

static void node_stop(struct node *node)
{
	atomic_store(&node->stopping, true);
	for (uint32_t i = 0; i < node->runner_count; i++) {
		struct runner *runner = &node->runners[i];
		if (!runner->runs)
			continue;
		runner->stop.run = runner_stop;
		loop_post(runner->loop, &runner->stop);
	}
	for (uint32_t i = 0; i < node->runner_count; i++) {
		if (node->runners[i].runs)
			(void)pthread_join(node->runners[i].thread, NULL);
		node->runners[i].runs = false;
	}
}

void node_free(struct node **node)
{
	if (!*node)
		return;
	MUST_BE(*node, NODE_TAG);
	node_stop(*node);
	/* Before the loops go: its thread may still be about to wake one. */
	if ((*node)->backplane && (*node)->backplane->ops->stop)
		(*node)->backplane->ops->stop((*node)->backplane);
	for (uint32_t i = 0; i < (*node)->runner_count; i++)
		door_free(&(*node)->runners[i].door);
	engine_free(&(*node)->engine);
	hub_free(&(*node)->hub);
	feed_free(&(*node)->feed);
	if ((*node)->backplane)
		(*node)->backplane->ops->free(&(*node)->backplane);
	auth_free(&(*node)->auth);
	(*node)->tag = 0;
	mem_free(*node);
	*node = NULL;
}

int node_turn(struct node *node)
{
	MUST_BE(node, NODE_TAG);
	uint64_t now_ms = node_now_ms(node);
	uint64_t store_due_ms = node->backplane->ops->turn(node->backplane, now_ms);
	feed_turn(node->feed, now_ms);
	if (now_ms >= node->hub_due_ms) {
		hub_turn(node->hub, now_ms);
		node->hub_due_ms = now_ms + HUB_TURN_MS;
	}
	int wait_ms = node->backplane->ops->pushes_can_fail ? TURN_LOSSY_MS : TURN_MS;
	if (store_due_ms <= now_ms)
		return 1;
	return store_due_ms - now_ms < (uint64_t)wait_ms ? (int)(store_due_ms - now_ms) : wait_ms;
}

void node_drain(struct node *node, uint32_t window_ms)
{
	MUST_BE(node, NODE_TAG);
	atomic_store(&node->draining, true);
	for (uint32_t i = 0; i < node->runner_count; i++)
		door_close(node->runners[i].door);
	engine_drain(node->engine, window_ms);
}

bool node_idle(const struct node *node)
{
	for (uint32_t i = 0; i < node->runner_count; i++) {
		if (!door_idle(node->runners[i].door))
			return false;
	}
	return engine_counts(node->engine).sessions_now == 0;
}

const struct address *node_address(const struct node *node, size_t index)
{
	MUST(index < node->address_count);
	return &node->addresses[index];
}

const struct address *node_admin_address(const struct node *node)
{
	return node->admin.bytes ? &node->admin : NULL;
}

size_t node_address_count(const struct node *node)
{
	return node->address_count;
}

uint64_t node_now_ms(const struct node *node)
{
	return node->world->ops->now_ms(node->world);
}

void node_say_start(const struct node *node)
{
	char loops[16];
	char sessions[24];
	char admin[ADDRESS_TEXT_MAX] = "off";
	if (node->admin.bytes)
		address_format(&node->admin, admin);
	(void)snprintf(loops, sizeof loops, "%u", node->runner_count);
	(void)snprintf(sessions, sizeof sessions, "%zu", node->sessions_max);
	say(SAY_INFO, "started", "backplane", node->backplane->ops->name, "loops", loops,
	    "sessions_max", sessions, "admin", admin, "takeover",
	    takeover_way_text(node->way), "libmicrohttpd",
	    door_library_version(), NULL);
	if (node->options->no_auth)
		say(SAY_WARN, "no_auth", "means", "whoever reaches the port may read and write",
		    NULL);
	if (door_library_is_old() && !node->options->dev)
		say(SAY_WARN, "library_old", "libmicrohttpd", door_library_version(), "advice",
		    "1.0.10 or later for a port that the internet can reach", NULL);
}
