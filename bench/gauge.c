#include "gauge.h"

#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec at;
	if (clock_gettime(clock, &at))
		die("a process that was to be measured has gone");
	return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("load: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static pid_t parent_of(const char *pid_text)
{
	char path[300], line[512] = "";
	snprintf(path, sizeof path, "/proc/%s/stat", pid_text);
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(line, sizeof line, file))
		line[0] = '\0';
	fclose(file);
	const char *after_name = strrchr(line, ')'); /* the name may hold anything */
	int parent = 0;
	if (!after_name || sscanf(after_name + 1, " %*c %d", &parent) != 1)
		return 0;
	return parent;
}

void gauge_init(struct gauge *gauge, pid_t pid)
{
	gauge->pids[0] = pid;
	gauge->count = 1;
	DIR *dir = opendir("/proc");
	if (!dir)
		die("/proc cannot be read");
	for (struct dirent *entry; (entry = readdir(dir));)
		if (isdigit((unsigned char)entry->d_name[0]) && parent_of(entry->d_name) == pid &&
		    gauge->count < PROCESSES_MAX)
			gauge->pids[gauge->count++] = (pid_t)strtol(entry->d_name, NULL, 10);
	closedir(dir);
}

/* The first line of /proc/stat, without its two columns of idling. */
static uint64_t machine_ns(void)
{
	unsigned long long user = 0, nice = 0, system = 0, irq = 0, soft = 0, steal = 0;
	FILE *file = fopen("/proc/stat", "re");
	if (!file || fscanf(file, "cpu %llu %llu %llu %*u %*u %llu %llu %llu", &user, &nice,
			    &system, &irq, &soft, &steal) != 6)
		die("/proc/stat cannot be read");
	fclose(file);
	uint64_t tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
	return (user + nice + system + irq + soft + steal) * tick_ns;
}

void gauge_read_cpu(const struct gauge *gauge, struct reading *ret_reading)
{
	uint64_t cpu_ns = 0;
	for (size_t i = 0; i < gauge->count; i++) {
		clockid_t clock;
		if (clock_getcpuclockid(gauge->pids[i], &clock))
			die("process %d cannot be measured", (int)gauge->pids[i]);
		cpu_ns += clock_ns(clock);
	}
	ret_reading->cpu_ns = cpu_ns;
	ret_reading->own_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	ret_reading->machine_ns = machine_ns();
	ret_reading->at_ns = now_ns();
}

static uint64_t proc_bytes(pid_t pid, const char *file_name, const char *field)
{
	char path[64], line[256];
	unsigned long long kib = 0;
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file_name);
	FILE *file = fopen(path, "re");
	if (!file)
		die("%s cannot be read", path);
	while (fgets(line, sizeof line, file))
		if (!strncmp(line, field, strlen(field))) {
			kib = strtoull(line + strlen(field), NULL, 10);
			break;
		}
	fclose(file);
	return kib * 1024;
}

void gauge_read_memory(const struct gauge *gauge, struct reading *ret_reading)
{
	ret_reading->rss_bytes = 0;
	ret_reading->pss_bytes = 0;
	for (size_t i = 0; i < gauge->count; i++) {
		ret_reading->rss_bytes += proc_bytes(gauge->pids[i], "status", "VmRSS:");
		ret_reading->pss_bytes += proc_bytes(gauge->pids[i], "smaps_rollup", "Pss:");
	}
}

/* Slots grow with the value: SPREAD_STEPS of them between a power of two and the next. */
static size_t slot_of(uint64_t ns)
{
	if (ns < SPREAD_STEPS)
		return (size_t)ns;
	unsigned power = 63 - (unsigned)__builtin_clzll(ns); /* at least 5 */
	size_t slot = (size_t)(power - 4) * SPREAD_STEPS + (size_t)((ns >> (power - 5)) & 31);
	return slot < SPREAD_SLOTS ? slot : SPREAD_SLOTS - 1;
}

static double slot_ns(size_t slot)
{
	if (slot < SPREAD_STEPS)
		return (double)slot;
	unsigned power = (unsigned)(slot / SPREAD_STEPS) + 4;
	uint64_t step = UINT64_C(1) << (power - 5);
	return (double)((SPREAD_STEPS + slot % SPREAD_STEPS) * step) + (double)step / 2;
}

void spread_add(struct spread *spread, uint64_t ns)
{
	spread->slots[slot_of(ns)]++;
	spread->count++;
}

double spread_us(const struct spread *spread, double share)
{
	uint64_t wanted = (uint64_t)((double)spread->count * share), seen = 0;
	for (size_t slot = 0; slot < SPREAD_SLOTS; slot++) {
		seen += spread->slots[slot];
		if (seen > wanted || (seen == spread->count && seen))
			return slot_ns(slot) / 1000;
	}
	return 0;
}
