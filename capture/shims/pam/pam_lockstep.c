/*
 * A PAM module for the password stack, after pam_unix:
 *   password optional pam_lockstep.so socket=/run/lockstep/relay.sock
 *
 * It hands over what pam_unix has just stored. It cannot prevent the change any more, so it never fails it: keep it
 * `optional`. What it could not hand over it tells in the log, by the name of the user and nothing else.
 */
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <syslog.h>

#include "../hand_over.h"

#define WITHIN_MS 500

static const char SOCKET[] = "socket=";

int pam_sm_chauthtok(pam_handle_t *handle, int flags, int argc, const char **argv)
{
	const char *path = NULL;
	const char *user = NULL;
	const void *password = NULL;
	if (!(flags & PAM_UPDATE_AUTHTOK))
		return PAM_IGNORE;
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], SOCKET, sizeof SOCKET - 1) == 0)
			path = argv[i] + sizeof SOCKET - 1;
	if (path == NULL) {
		pam_syslog(handle, LOG_ERR, "say socket=<path of the relay>");
		return PAM_IGNORE;
	}
	if (pam_get_user(handle, &user, NULL) != PAM_SUCCESS || user == NULL)
		return PAM_IGNORE;
	if (pam_get_item(handle, PAM_AUTHTOK, &password) != PAM_SUCCESS || password == NULL)
		return PAM_IGNORE;
	if (lockstep_hand_over(path, strlen(path), user, strlen(user), password, strlen(password), WITHIN_MS))
		return PAM_SUCCESS;
	pam_syslog(handle, LOG_ERR, "the password of %s is changed here and was not passed on", user);
	return PAM_IGNORE;
}
