#include "serve/measure.h"

#include <assert.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/metric.h"
#include "base/say.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

static_assert((int)FORM_LABEL_COUNT == (int)SESSION_FORMS, "a form has no label");
static_assert((int)GAP_LABEL_COUNT == (int)GAP_REASONS, "a gap's reason has no label");

static void measure_engine(struct engine *engine)
{
	struct engine_counts counts = engine_counts(engine);
	const uint64_t closed[CLOSE_COUNT] = {
		[CLOSE_PEER] = counts.closed_by_peer,
		[CLOSE_DEAD] = counts.closed_dead,
		[CLOSE_OVERTAKEN] = counts.closed_overtaken,
		[CLOSE_END] = counts.closed_end,
		[CLOSE_DRAIN] = counts.closed_drain,
		[CLOSE_NOMEM] = counts.closed_nomem,
		[CLOSE_EXPIRED] = counts.closed_expired,
		[CLOSE_REVOKED] = counts.closed_revoked,
		[CLOSE_ADMIN] = counts.closed_admin,
	};
	for (unsigned i = 0; i < CLOSE_COUNT; i++)
		metric_set(METRIC_SESSIONS_CLOSED, i, 0, closed[i]);
	for (unsigned i = 0; i < FORM_LABEL_COUNT; i++)
		metric_set(METRIC_SESSIONS, i, 0, counts.sessions_of_form[i]);
	for (unsigned i = 0; i < GAP_LABEL_COUNT; i++)
		metric_set(METRIC_GAPS, i, 0, counts.gaps_of_reason[i]);
	metric_set(METRIC_FOLDED, 0, 0, counts.folded);
	metric_set(METRIC_SESSIONS_OPENED, 0, 0, counts.sessions_opened);
	metric_set(METRIC_EVENTS_OUT, 0, 0, counts.events_sent);
	metric_set(METRIC_BYTES_OUT, 0, 0, counts.bytes_sent);
	metric_set(METRIC_SENDS, 0, 0, counts.sends);
}

static void measure_backplane(struct backplane *backplane)
{
	struct backplane_health health = { 0 };
	unsigned name = metric_name(LABEL_BACKPLANE, backplane->ops->name);
	backplane->ops->health(backplane, &health);
	metric_set(METRIC_BACKPLANE_READY, name, 0, health.ready);
	metric_set(METRIC_BACKPLANE_AGE, name, 0,
		   health.echo_age_ms == UINT64_MAX ? 0 : health.echo_age_ms);
}

/* The resident pages are the second number of statm. */
static uint64_t resident_bytes(void)
{
	unsigned long long pages = 0;
	FILE *from = fopen("/proc/self/statm", "re");
	if (!from)
		return 0;
	if (fscanf(from, "%*u %llu", &pages) != 1)
		pages = 0;
	(void)fclose(from);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t descriptors_open(void)
{
	uint64_t count = 0;
	DIR *folder = opendir("/proc/self/fd");
	if (!folder)
		return 0;
	for (struct dirent *entry; (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	(void)closedir(folder);
	return count - 1; /* less the folder's own */
}

static void measure_process(void)
{
	struct rlimit limit;
	metric_set(METRIC_MEMORY, ACCOUNT_RESIDENT, 0, resident_bytes());
	metric_set(METRIC_MEMORY, ACCOUNT_ALLOCATED, 0, mem_live_bytes());
	metric_set(METRIC_DESCRIPTORS, 0, 0, descriptors_open());
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		metric_set(METRIC_DESCRIPTORS_MAX, 0, 0, limit.rlim_cur);
	metric_set(METRIC_LOG_DROPPED, 0, 0, say_dropped());
}

void measure(const struct measured *measured)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	metric_set(METRIC_BUILD, metric_name(LABEL_VERSION, PACKAGE_VERSION), 0, 1);
	metric_set(METRIC_UPTIME, 0, 0, measured->up_ms);
	metric_set(METRIC_DRAINING, 0, 0, measured->draining);
	metric_set(METRIC_STREAMS, 0, 0, hub_count(measured->hub));
	metric_set(METRIC_MEMORY, ACCOUNT_TAPES, 0, hub_weight(measured->hub));
	measure_engine(measured->engine);
	measure_backplane(measured->backplane);
	measure_process();
	pthread_mutex_unlock(&lock);
}
