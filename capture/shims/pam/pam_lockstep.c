/*
 * A PAM module for the password stack, after pam_unix:
 *   password optional pam_lockstep.so socket=/run/lockstep/relay.sock
 *
 * It hands over the password that pam_unix has just stored. The change can no longer be prevented, so the module never
 * fails it: keep it `optional`. If the relay does not accept the password, the module logs the name of the user only.
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
		pam_syslog(handle, LOG_ERR, "no socket is configured: add socket=<path of the relay's socket>");
		return PAM_IGNORE;
	}
	if (pam_get_user(handle, &user, NULL) != PAM_SUCCESS || user == NULL)
		return PAM_IGNORE;
	if (pam_get_item(handle, PAM_AUTHTOK, &password) != PAM_SUCCESS || password == NULL)
		return PAM_IGNORE;
	if (lockstep_hand_over(path, strlen(path), user, strlen(user), password, strlen(password), WITHIN_MS))
		return PAM_SUCCESS;
	pam_syslog(handle, LOG_ERR, "the password of %s was changed here but not handed over to Lockstep: check that the relay runs", user);
	return PAM_IGNORE;
}
