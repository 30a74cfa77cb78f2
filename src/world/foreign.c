#include "world/foreign.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static enum err change(int set_fd, int operation, int fd, struct epoll_event event)
{
	if (epoll_ctl(set_fd, operation, fd, &event) == 0)
		return OK;
	if (errno == ENOENT)
		return ERR_NOT_FOUND;
	return err_note(ERR_SYSTEM, "epoll_ctl: %m");
}

enum err foreign_take(int set_fd, int fd)
{
	return change(set_fd, EPOLL_CTL_DEL, fd, (struct epoll_event){ 0 });
}

enum err foreign_put_mute(int set_fd, int fd, void *token)
{
	struct epoll_event nothing = { .data.ptr = token };
	return change(set_fd, EPOLL_CTL_ADD, fd, nothing);
}

enum err foreign_hear(int set_fd, int fd, bool hears, void *token)
{
	struct epoll_event event = { .events = hears ? EPOLLIN : 0, .data.ptr = token };
	return change(set_fd, EPOLL_CTL_MOD, fd, event);
}

enum err nest_new(int *ret_fd)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0)
		return err_note(ERR_SYSTEM, "epoll_create1: %m");
	*ret_fd = fd;
	return OK;
}

enum err nest_add(int nest_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	return change(nest_fd, EPOLL_CTL_ADD, fd, event);
}

enum err bell_new(int *ret_fd)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return err_note(ERR_SYSTEM, "eventfd: %m");
	*ret_fd = fd;
	return OK;
}

/* A counter that is full, or empty already, is as loud or as quiet as it should be. */
void bell_ring(int fd)
{
	(void)eventfd_write(fd, 1);
}

void bell_hush(int fd)
{
	eventfd_t rings;
	(void)eventfd_read(fd, &rings);
}
