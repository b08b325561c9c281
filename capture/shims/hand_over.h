/*
 * Hands a captured password over to the relay of this machine (docs/captures/protocol.md). It is written for code that
 * runs inside the process of another server: it returns before the given deadline, allocates nothing, raises no signal,
 * and wipes every copy of the password.
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

/* A memset that the compiler cannot optimize away. */
static void lockstep_wipe(void *bytes, size_t length)
{
	volatile unsigned char *at = bytes;
	while (length--)
		*at++ = 0;
}

/* Waits for `events`. Returns 1 if the socket is ready for them before the deadline, else 0. */
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

/* Returns a connected socket, or -1. */
static int lockstep_connect(const char *path, size_t length, int64_t deadline)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (length == 0 || length >= sizeof address.sun_path)
		return -1;
	memcpy(address.sun_path, path, length);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	/* EAGAIN: the backlog of the relay is full. poll(2) cannot wait for that on a Unix socket, so this retries. */
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

/* Returns 1 if all bytes were sent before the deadline, else 0. */
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

/* Returns 1 if the relay confirms within `within_ms` that it has stored the capture, else 0. */
static int lockstep_hand_over(const char *path, size_t path_length, const char *account, size_t account_length,
			      const char *password, size_t password_length, int within_ms)
{
	unsigned char message[LOCKSTEP_MAX_MESSAGE];
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
