/*
 * Encodes a captured password as a message of docs/captures/protocol.md, for the shims of every system. It allocates
 * nothing.
 */
#ifndef LOCKSTEP_MESSAGE_H
#define LOCKSTEP_MESSAGE_H

#include <stddef.h>
#include <string.h>

#define LOCKSTEP_MAX_ACCOUNT 1024
#define LOCKSTEP_MAX_PASSWORD 4096
#define LOCKSTEP_MAX_DIGITS 15
#define LOCKSTEP_MAX_MESSAGE (4 + 3 * 5 + LOCKSTEP_MAX_ACCOUNT + LOCKSTEP_MAX_PASSWORD + LOCKSTEP_MAX_DIGITS)

static unsigned char *lockstep_put_length(unsigned char *at, size_t length)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (unsigned char)(length >> shift);
	return at;
}

static unsigned char *lockstep_put_field(unsigned char *at, char letter, const char *value, size_t length)
{
	*at++ = (unsigned char)letter;
	at = lockstep_put_length(at, length);
	memcpy(at, value, length);
	return at + length;
}

static unsigned char *lockstep_put_time(unsigned char *at, unsigned long long time_ms)
{
	char digits[LOCKSTEP_MAX_DIGITS];
	size_t from = sizeof digits;
	for (; time_ms > 0 && from > 0; time_ms /= 10)
		digits[--from] = (char)('0' + time_ms % 10);
	return lockstep_put_field(at, 't', digits + from, sizeof digits - from);
}

/*
 * Writes the message and returns its length in bytes, or 0 if a value is empty or too long. `time_ms` is the time of the
 * change in milliseconds since 1970; with 0 the relay uses the time at which it receives the message. The caller wipes
 * the message.
 */
static size_t lockstep_encode(unsigned char message[LOCKSTEP_MAX_MESSAGE], const char *account, size_t account_length,
			      const char *password, size_t password_length, unsigned long long time_ms)
{
	unsigned char *end = message + 4;
	if (account_length == 0 || account_length > LOCKSTEP_MAX_ACCOUNT)
		return 0;
	if (password_length == 0 || password_length > LOCKSTEP_MAX_PASSWORD)
		return 0;
	end = lockstep_put_field(end, 'a', account, account_length);
	end = lockstep_put_field(end, 'p', password, password_length);
	if (time_ms > 0)
		end = lockstep_put_time(end, time_ms);
	lockstep_put_length(message, (size_t)(end - message) - 4);
	return (size_t)(end - message);
}

#endif
