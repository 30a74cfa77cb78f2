/*
 * linux: the real world, by epoll. One eventfd a poller, written only while the poller sleeps.
 *
 * Owns    the process's clock and chance; each poller its epoll set and eventfd.
 */
#include "world/world.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"

#define POLLER_TAG 0x5e9b10c3u

enum {
	POLLER_EVENTS_MAX = 256, /* of one epoll_wait; what is left over comes with the next */
};

/* Where the owner of a poller is. The waker that finds it asleep writes the eventfd; all others
 * only leave POLLER_CALLED behind, which costs no system call. */
enum { POLLER_AWAKE, POLLER_ASLEEP, POLLER_CALLED };

struct poller {
	uint32_t tag;
	int epoll_fd;
	int event_fd; /* edge-triggered, so it is never read: each write is news */
	atomic_int place;
};

static uint64_t clock_ns(clockid_t id)
{
	struct timespec now;
	MUST(clock_gettime(id, &now) == 0);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t linux_now_ns(struct world *world)
{
	(void)world;
	return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t linux_now_ms(struct world *world)
{
	uint64_t now_ms = linux_now_ns(world) / 1000000u;
	return now_ms ? now_ms : 1;
}

static uint64_t linux_wall_ms(struct world *world)
{
	(void)world;
	return clock_ns(CLOCK_REALTIME) / 1000000u;
}

static void linux_random(struct world *world, void *bytes, size_t count)
{
	(void)world;
	randombytes_buf(bytes, count);
}

/* What a send or receive that moved nothing means to the caller. */
static enum err refusal(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK ? ERR_AGAIN : ERR_CLOSED;
}

static enum err linux_sendv(struct world *world, int fd, const struct slice *pieces, size_t count,
			    size_t *ret_sent)
{
	(void)world;
	MUST(count > 0 && count <= WORLD_PIECES_MAX);

	struct iovec parts[WORLD_PIECES_MAX];
	for (size_t i = 0; i < count; i++) {
		parts[i].iov_base = (void *)(uintptr_t)pieces[i].at;
		parts[i].iov_len = pieces[i].bytes;
	}
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };
	ssize_t sent;
	do {
		sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	if (sent <= 0)
		return refusal();
	*ret_sent = (size_t)sent;
	return OK;
}

static enum err linux_send(struct world *world, int fd, struct slice bytes, size_t *ret_sent)
{
	(void)world;
	MUST(bytes.bytes > 0);

	ssize_t sent;
	do {
		sent = send(fd, bytes.at, bytes.bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	if (sent <= 0)
		return refusal();
	*ret_sent = (size_t)sent;
	return OK;
}

static enum err linux_recv(struct world *world, int fd, char *bytes, size_t bytes_max,
			   size_t *ret_got)
{
	(void)world;
	MUST(bytes_max > 0);

	ssize_t got;
	do {
		got = recv(fd, bytes, bytes_max, MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	if (got == 0)
		return ERR_CLOSED;
	if (got < 0)
		return refusal();
	*ret_got = (size_t)got;
	return OK;
}

static void linux_close(struct world *world, int fd)
{
	(void)world;
	/* EINTR has closed it too: trying again could close somebody else's. EBADF is a bug that
	 * would close a stranger's next time. */
	MUST(close(fd) == 0 || errno != EBADF);
}

static void linux_tune(struct world *world, int fd, uint32_t dead_ms)
{
	(void)world;
	int on = 1;
	int off = 0;
	unsigned user_timeout_ms = dead_ms;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
	if (dead_ms)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms,
				 sizeof user_timeout_ms);
}

static void linux_poller_free(struct poller **poller)
{
	if (!*poller)
		return;
	MUST_BE(*poller, POLLER_TAG);
	(*poller)->tag = 0;
	if ((*poller)->event_fd >= 0)
		(void)close((*poller)->event_fd);
	if ((*poller)->epoll_fd >= 0)
		(void)close((*poller)->epoll_fd);
	mem_free(*poller);
	*poller = NULL;
}

static enum err linux_poller_new(struct world *world, struct poller **ret_poller)
{
	(void)world;
	struct poller *poller = mem_zalloc(sizeof *poller);
	if (!poller)
		return ERR_NOMEM;

	poller->tag = POLLER_TAG;
	atomic_init(&poller->place, POLLER_AWAKE);
	poller->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event news = { .events = EPOLLIN | EPOLLET, .data.ptr = poller };
	if (poller->event_fd < 0 || poller->epoll_fd < 0 ||
	    epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, poller->event_fd, &news) < 0) {
		enum err err = err_note(ERR_SYSTEM, "making an epoll set: %m");
		linux_poller_free(&poller);
		return err;
	}
	*ret_poller = poller;
	return OK;
}

static enum err linux_poller_add(struct poller *poller, int fd, unsigned interest, void *token)
{
	MUST_BE(poller, POLLER_TAG);
	struct epoll_event event = { .data.ptr = token };
	if (interest & WORLD_READABLE)
		event.events |= EPOLLIN | EPOLLRDHUP;
	if (interest & WORLD_WRITABLE)
		event.events |= EPOLLOUT;
	if (!(interest & WORLD_LEVEL))
		event.events |= EPOLLET;
	if (epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
		return OK;
	return errno == ENOMEM ? ERR_NOMEM : err_note(ERR_SYSTEM, "watching a descriptor: %m");
}

static void linux_poller_drop(struct poller *poller, int fd)
{
	MUST_BE(poller, POLLER_TAG);
	/* EBADF: it was closed before it was dropped, and its token may still come back. */
	MUST(epoll_ctl(poller->epoll_fd, EPOLL_CTL_DEL, fd, NULL) == 0 || errno != EBADF);
}

static unsigned readiness_flags(uint32_t events)
{
	unsigned flags = 0;
	if (events & (EPOLLIN | EPOLLRDHUP))
		flags |= WORLD_READABLE;
	if (events & EPOLLOUT)
		flags |= WORLD_WRITABLE;
	if (events & (EPOLLHUP | EPOLLERR))
		flags |= WORLD_HANGUP;
	return flags;
}

static size_t linux_poller_wait(struct poller *poller, struct readiness *ret_ready,
				size_t count_max, int wait_ms)
{
	MUST_BE(poller, POLLER_TAG);
	MUST(count_max > 0);

	struct epoll_event events[POLLER_EVENTS_MAX];
	if (count_max > POLLER_EVENTS_MAX)
		count_max = POLLER_EVENTS_MAX;
	int awake = POLLER_AWAKE;
	if (wait_ms != 0 &&
	    !atomic_compare_exchange_strong(&poller->place, &awake, POLLER_ASLEEP))
		wait_ms = 0; /* called since the last time */

	int count = epoll_wait(poller->epoll_fd, events, (int)count_max, wait_ms);
	MUST(count >= 0 || errno == EINTR);
	/* An exchange, for it also takes over what the wakers wrote before they called. */
	(void)atomic_exchange(&poller->place, POLLER_AWAKE);

	size_t ready_count = 0;
	for (int i = 0; i < count; i++) {
		if (events[i].data.ptr == poller)
			continue;
		ret_ready[ready_count++] = (struct readiness){
			.token = events[i].data.ptr,
			.flags = readiness_flags(events[i].events),
		};
	}
	return ready_count;
}

static void linux_poller_wake(struct poller *poller)
{
	MUST_BE(poller, POLLER_TAG);
	if (atomic_exchange(&poller->place, POLLER_CALLED) != POLLER_ASLEEP)
		return;
	/* Cannot fill up: that takes 2^64 - 1 wakes. */
	uint64_t one = 1;
	MUST(write(poller->event_fd, &one, sizeof one) == (ssize_t)sizeof one || errno == EINTR);
}

static const struct world_ops linux_ops = {
	.name = "linux",
	.now_ms = linux_now_ms,
	.now_ns = linux_now_ns,
	.wall_ms = linux_wall_ms,
	.random = linux_random,
	.send = linux_send,
	.sendv = linux_sendv,
	.recv = linux_recv,
	.close = linux_close,
	.tune = linux_tune,
	.poller_new = linux_poller_new,
	.poller_free = linux_poller_free,
	.poller_add = linux_poller_add,
	.poller_drop = linux_poller_drop,
	.poller_wait = linux_poller_wait,
	.poller_wake = linux_poller_wake,
};

static void sodium_start(void)
{
	MUST(sodium_init() >= 0);
}

struct world *world_linux(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static struct world world = { .ops = &linux_ops };
	MUST(pthread_once(&once, sodium_start) == 0);
	return &world;
}
