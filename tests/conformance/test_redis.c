/*
 * The Redis backplane, over a real server of its own, under the suite of all backplanes.
 */
#include "backplane/redis.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/backplane_suite.h"

enum { SKIPPED = 77, TRIES = 500, STEP_MS = 1 };

static struct tape_bounds bounds;
static char folder[] = "/tmp/tapecast-redis-XXXXXX";
static char path[64];
static unsigned store_count;

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	(void)arg;
	(void)name;
	return bounds;
}

static void step(struct backplane *backplane)
{
	(void)backplane;
	(void)poll(NULL, 0, STEP_MS);
}

static char prefix[16];

static struct backplane *join(struct backplane_ear ear)
{
	struct backplane *backplane = NULL;
	struct redis_config config = {
		.world = world_linux(),
		.streams_max = 100,
		.data_bytes_max = 65536,
		.idem_max = 1000,
		.idem_window_ms = 120000,
		.bounds_of = bounds_of,
		.ear = ear,
	};
	(void)snprintf(config.place.host, sizeof config.place.host, "%s", path);
	config.prefix = slice_of(prefix);
	if (redis_new(&config, &backplane) != OK)
		return NULL;
	for (int i = 0; i < TRIES * 4 && !backplane->ops->ready(backplane); i++)
		step(NULL);
	return backplane;
}

/* A prefix each, so that every store is empty. */
static struct backplane *make(struct tape_bounds wanted, struct backplane_ear ear)
{
	(void)snprintf(prefix, sizeof prefix, "t%u", store_count++);
	bounds = wanted;
	return join(ear);
}

static pid_t server_start(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(127);
		(void)execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path,
			     "--save", "", "--appendonly", "no", "--dir", folder, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static bool server_listens(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	(void)snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
	for (int i = 0; i < TRIES; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		bool done = connect(fd, (struct sockaddr *)&un, sizeof un) == 0;
		(void)close(fd);
		if (done)
			return true;
		(void)poll(NULL, 0, 10);
	}
	return false;
}

int main(void)
{
	const struct backplane_factory factory = { .name = "redis", .make = make, .join = join,
						   .step = step };

	if (!mkdtemp(folder))
		return 1;
	(void)snprintf(path, sizeof path, "%s/socket", folder);
	pid_t server = server_start();
	int failed = -1;
	if (server_listens())
		failed = backplane_suite_run(&factory) + backplane_words_run(&factory);
	int status = 0;
	if (server > 0) {
		(void)kill(server, SIGKILL);
		(void)waitpid(server, &status, 0);
	}
	(void)unlink(path);
	(void)rmdir(folder);
	if (failed < 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		(void)fprintf(stderr, "skipped: there is no redis-server\n");
		return SKIPPED;
	}
	return failed;
}
