/*
 * Hands a captured password over to the relay of this machine, as docs/captures/protocol.md has it. For code that runs
 * inside somebody else's server: it waits no longer than it is told, allocates nothing, raises no signal, and leaves
 * nothing of the password behind.
 */
#ifndef LOCKSTEP_HAND_OVER_H
#define LOCKSTEP_HAND_OVER_H

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

static int64_t lockstep_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A memset that the compiler may not leave out. */
static void lockstep_wipe(void *bytes, size_t length)
{
	volatile unsigned char *at = bytes;
	while (length--)
		*at++ = 0;
}

/* 1 when the socket is ready for `events` before the deadline. */
static int lockstep_ready(int fd, short events, int64_t deadline)
{
	for (;;) {
		int64_t left = deadline - lockstep_now_ms();
		struct pollfd wanted = { .fd = fd, .events = events };
		if (left <= 0)
			return 0;
		int ready = poll(&wanted, 1, (int)left);
		if (ready > 0)
			return (wanted.revents & events) != 0;
		if (ready == 0 || errno != EINTR)
			return 0;
	}
}

static int lockstep_connect(const char *path, size_t length, int64_t deadline)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (length == 0 || length >= sizeof address.sun_path)
		return -1;
	memcpy(address.sun_path, path, length);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	/* EAGAIN: the queue of the relay is full, and a socket of this family cannot wait for that with poll(2). */
	while (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		struct timespec moment = { .tv_nsec = 5000000 };
		if ((errno != EAGAIN && errno != EINTR) || lockstep_now_ms() >= deadline) {
			close(fd);
			return -1;
		}
		nanosleep(&moment, NULL);
	}
	return fd;
}

static int lockstep_send(int fd, const unsigned char *bytes, size_t length, int64_t deadline)
{
	while (length > 0) {
		if (!lockstep_ready(fd, POLLOUT, deadline))
			return 0;
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return 0;
		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
		}
	}
	return 1;
}

/* 1 when the relay says that it has the capture for good. */
static int lockstep_hand_over(const char *path, size_t path_length, const char *account, size_t account_length,
			      const char *password, size_t password_length, int within_ms)
{
	unsigned char message[LOCKSTEP_MOST_MESSAGE];
	int64_t deadline = lockstep_now_ms() + within_ms;
	char answer = 0;
	size_t length = lockstep_encode(message, account, account_length, password, password_length, 0);
	int fd = length == 0 ? -1 : lockstep_connect(path, path_length, deadline);
	if (fd >= 0 && lockstep_send(fd, message, length, deadline) && lockstep_ready(fd, POLLIN, deadline))
		(void)!recv(fd, &answer, 1, 0);
	lockstep_wipe(message, sizeof message);
	if (fd >= 0)
		close(fd);
	return answer == '+';
}

#endif
