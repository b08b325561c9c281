/*
 * A password check module for OpenLDAP's ppolicy overlay (slapo-ppolicy(5), pwdCheckModule). It applies no policy of its
 * own: it hands the candidate over to the relay before slapd stores it.
 *
 * pwdCheckModuleArg names the socket of the relay, and what happens while the relay does not answer:
 *   open:/run/lockstep/relay.sock    slapd accepts the change, which is not captured
 *   closed:/run/lockstep/relay.sock  slapd refuses the change with a message to try again
 *
 * slapd calls the module after its own check of length and before that of history, so it may still refuse the candidate.
 * Lockstep therefore confirms the candidate by a login before it writes it to other systems.
 */
#include <stdlib.h>

#include "../hand_over.h"

/* A person waits for slapd, which waits for this module. */
#define WITHIN_MS 500

struct berval {
	unsigned long bv_len;
	char *bv_val;
};

/* The first members of Entry in slap.h, which are the same from OpenLDAP 2.4 to 2.6. */
typedef struct Entry {
	unsigned long e_id;
	struct berval e_name;
	struct berval e_nname;
} Entry;

enum { SLAPD_ACCEPTS = 0, SLAPD_REFUSES = 1 };

static const char OPEN[] = "open:";
static const char CLOSED[] = "closed:";

/* Returns the length of `word` if the argument begins with it and continues after it, else 0. */
static size_t after(const char *word, const struct berval *argument)
{
	size_t length = strlen(word);
	return argument->bv_len > length && strncmp(argument->bv_val, word, length) == 0 ? length : 0;
}

/* From <ldap.h>. The library is already loaded by slapd, so it is not linked. */
struct ldapapiinfo {
	int version;
	int api_version;
	int protocol_version;
	char **extensions;
	char *vendor_name;
	int vendor_version;
};
enum { LDAP_OPT_API_INFO = 0, LDAP_API_INFO_VERSION = 1, OPENLDAP_2_5 = 20500, OPENLDAP_2_6 = 20600 };
int ldap_get_option(void *ld, int option, void *value) __attribute__((weak));
void ldap_memvfree(void **list) __attribute__((weak));
void ldap_memfree(void *memory) __attribute__((weak));

/* Version of the library, such as 20605; 0 if it cannot be determined. */
static int openldap_version(void)
{
	struct ldapapiinfo info = { .version = LDAP_API_INFO_VERSION };
	if (ldap_get_option == NULL || ldap_get_option(NULL, LDAP_OPT_API_INFO, &info) != 0)
		return 0;
	if (ldap_memvfree != NULL)
		ldap_memvfree((void **)info.extensions);
	if (ldap_memfree != NULL)
		ldap_memfree(info.vendor_name);
	return info.vendor_version;
}

/*
 * Refuses a change with a message. Up to OpenLDAP 2.5 `message` is a `char **` for memory that slapd frees, from 2.6 on it
 * is a buffer. If the version is unknown the refusal has no message.
 */
static int refuse(void *message, const char *text)
{
	int version = openldap_version();
	if (message != NULL && version >= OPENLDAP_2_6) {
		struct berval *buffer = message;
		size_t length = strlen(text);
		if (buffer->bv_val != NULL && buffer->bv_len > length) {
			memcpy(buffer->bv_val, text, length + 1);
			buffer->bv_len = length;
		}
	} else if (message != NULL && version >= OPENLDAP_2_5) {
		*(char **)message = strdup(text);
	}
	return SLAPD_REFUSES;
}

/*
 * The entry point that slapd calls. A wrong pwdCheckModuleArg refuses every change, so that an administrator notices it at
 * the first change and not when a password is missing elsewhere.
 */
int check_password(char *password, void *message, Entry *entry, struct berval *argument)
{
	size_t open = argument == NULL ? 0 : after(OPEN, argument);
	size_t closed = argument == NULL ? 0 : after(CLOSED, argument);
	size_t word = open + closed;
	if (word == 0)
		return refuse(message, "pwdCheckModuleArg must be open:<socket> or closed:<socket>");
	int stored = lockstep_hand_over(argument->bv_val + word, argument->bv_len - word, entry->e_name.bv_val,
					entry->e_name.bv_len, password, strlen(password), WITHIN_MS);
	if (stored || open > 0)
		return SLAPD_ACCEPTS;
	return refuse(message, "the password cannot be passed on at this moment, try again");
}
