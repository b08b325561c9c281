/**
 * The closed list of errors of Lockstep: every reason why an account does not hold a password, and every reason why the
 * api refuses a request. No other module lists the codes again: the api reads the HTTP status from here, the worker the
 * retry class, and the docs their page.
 *
 * Only the connectors translate vendor errors into these codes.
 */

/**
 * What Lockstep does after an error:
 * - `offline`: nothing is wrong with the password; Lockstep retries with growing waits until the change is too old.
 * - `rejected`: the source refuses this value for this account; Lockstep never retries the same value.
 * - `unknown`: the cause is not known; Lockstep makes five attempts, then parks the account for an operator.
 * - `never`: the request itself is refused and nothing was started.
 */
export type Retry = 'offline' | 'rejected' | 'unknown' | 'never';

interface ErrorRow {
  readonly retry: Retry;
  /** HTTP status of the response, when a request ends with this error. */
  readonly status: number;
  /**
   * What happened and what to do next, in sentences for a caller or an operator. Never holds a value of the request. It
   * promises no further attempt, because it is also shown after the last one.
   */
  readonly says: string;
  /** What Lockstep does next for an account that waits with this reason, in sentences that follow `says`. */
  readonly waits?: string;
}

const paused = (by: string): string =>
  `${by} has paused this source. Run "lockstep sources resume" to continue.`;

const table = {
  // The source cannot be used now.
  unreachable: {
    retry: 'offline',
    status: 503,
    says: 'The source cannot be reached. Check that it runs and that the worker can connect to it.',
    waits: 'Lockstep retries.',
  },
  busy: {
    retry: 'offline',
    status: 503,
    says: 'The source reports that it is busy.',
    waits:
      'Lockstep retries; no action is needed. If the source asks for a wait, Lockstep keeps it for an hour at most.',
  },
  adapter_unreachable: {
    retry: 'offline',
    status: 503,
    says: 'The adapter of the source is offline, so it gets nothing. Start it, and look at its log.',
    waits: 'The account continues when the adapter connects.',
  },
  adapter_not_receiving: {
    retry: 'offline',
    status: 503,
    says: 'The adapter of the source has not received the password in time. Check that it runs, and look at its log.',
    waits: 'Lockstep offers it again.',
  },
  throttled: {
    retry: 'offline',
    status: 503,
    says: 'The source limits how often it may be called.',
    waits:
      'Lockstep retries; no action is needed. If the source asks for a wait, Lockstep keeps it for an hour at most.',
  },
  account_locked: {
    retry: 'offline',
    status: 503,
    says: 'The source has locked this account. Unlock it in the source, or wait until the lock ends.',
    waits: 'Lockstep retries until then.',
  },
  certificate_refused: {
    retry: 'offline',
    status: 503,
    says: 'The TLS connection to the source failed: the worker does not trust its certificate, the source does not use TLS at this port, or the file in the ca setting cannot be read. "lockstep doctor" shows which.',
    waits: 'Lockstep retries.',
  },
  service_credential_refused: {
    retry: 'offline',
    status: 503,
    says: 'The source refuses the service account of Lockstep. Correct its name or password.',
    waits:
      'Lockstep has paused the source so that the service account is not locked out. Run "lockstep sources resume" once the cause is corrected.',
  },
  source_paused: {
    retry: 'offline',
    status: 409,
    says: paused('An operator'),
    waits: 'Its accounts wait until the pause ends.',
  },
  source_in_maintenance: {
    retry: 'offline',
    status: 409,
    says: 'The source is in a maintenance window of the configuration, in which Lockstep writes nothing. To end the window early, change "maintenance" of the source.',
    waits: 'Its accounts wait until the window ends.',
  },
  key_store_unavailable: {
    retry: 'offline',
    status: 503,
    says: 'The key store is unavailable, so the stored password that the adapter needs with the new one cannot be opened. "lockstep doctor" shows why.',
    waits: 'Lockstep retries.',
  },
  source_at_limit: {
    retry: 'offline',
    status: 503,
    says: 'Lockstep already writes as many accounts of this source as maxPerSecond or maxAtOnce allows.',
    waits: 'The account is written when it is its turn; no action is needed.',
  },
  in_doubt: {
    retry: 'offline',
    status: 503,
    says: 'The connection to the source was lost before it answered, so the password may or may not be written.',
    waits: 'Lockstep checks the account before it writes again; no action is needed.',
  },
  awaiting_acknowledgement: {
    retry: 'offline',
    status: 503,
    says: 'The adapter of the source has received the password and has not acknowledged it.',
    waits:
      'Lockstep waits for the acknowledgement and delivers the message again without it; no action is needed.',
  },
  account_in_use: {
    retry: 'offline',
    status: 503,
    says: 'Another change is writing this account.',
    waits: 'Lockstep retries in a moment; no action is needed.',
  },
  others_first: {
    retry: 'offline',
    status: 503,
    says: 'The group is directory-last: Lockstep changes this account after every other account holds the new password.',
    waits: 'No action is needed.',
  },

  // The source refuses this value for this account, or its answer is not understood.
  policy_too_short: {
    retry: 'rejected',
    status: 422,
    says: 'The source rejects the password as too short. Choose a longer one.',
  },
  policy_too_long: {
    retry: 'rejected',
    status: 422,
    says: 'The source rejects the password as too long. Choose a shorter one.',
  },
  policy_quality: {
    retry: 'rejected',
    status: 422,
    says: 'The source rejects the password as too simple. Choose one with more kinds of characters.',
  },
  policy_history: {
    retry: 'rejected',
    status: 422,
    says: 'The source rejects the password because it was used before. Choose one that was not used recently.',
  },
  policy_too_young: {
    retry: 'rejected',
    status: 422,
    says: 'The source does not allow another password change yet. Try again after its minimum password age.',
  },
  policy: {
    retry: 'rejected',
    status: 422,
    says: 'The password does not satisfy the policy of the source, which gives no details. Compare the policies with "lockstep doctor".',
  },
  character_not_supported: {
    retry: 'rejected',
    status: 422,
    says: 'The password contains a character that the source does not accept. Choose one without it.',
  },
  no_account: {
    retry: 'rejected',
    status: 422,
    says: 'The account no longer exists in the source. Link the right one, or remove the link.',
  },
  account_replaced: {
    retry: 'rejected',
    status: 422,
    says: 'Another account of the source now has the name of the linked account: its id differs from the id that Lockstep has stored. Lockstep writes no such account. If it belongs to the person, link it again; otherwise remove the link. With the code another_account, a connector of your own answered about another account than the linked one, and may have written it: check both accounts, and correct the connector.',
  },
  account_renamed: {
    retry: 'rejected',
    status: 422,
    says: 'The account with the stored id now has another name, and the source may give an id to another account, so Lockstep cannot be sure that it is the same account. Nothing was written. Link the account of the person under its present name, and remove the old link.',
  },
  capture_of_another_account: {
    retry: 'rejected',
    status: 422,
    says: 'The password was captured in an account that is not the linked one: its source shows that another account has the name now, or that the account is gone. So it is not the password of this person, and nothing was written. "lockstep identities show" shows what is wrong with the link.',
  },
  service_account: {
    retry: 'rejected',
    status: 422,
    says: 'This is an account with which Lockstep signs in, to this source or to another one. Lockstep never changes its password. Remove the link, or correct the correlation rules of the source.',
  },
  linked_twice: {
    retry: 'rejected',
    status: 422,
    says: 'Another link names the same account, so Lockstep does not know to which person it belongs. Nothing was written. Remove the wrong link with "lockstep identities unlink"; "lockstep refresh" lists such accounts.',
  },
  several_accounts: {
    retry: 'rejected',
    status: 422,
    says: 'More than one account in the source matches this person, and Lockstep does not guess. Link the right one.',
  },
  several_people: {
    retry: 'rejected',
    status: 422,
    says: 'The account in the source that matches this person also matches another person, or is linked to one, and Lockstep does not guess. Link the right account.',
  },
  account_disabled: {
    retry: 'rejected',
    status: 422,
    says: 'The account is disabled in the source, which rejected the new password or the login that verifies the current one. Enable the account there, then change the password again.',
  },
  no_own_password: {
    retry: 'rejected',
    status: 422,
    says: 'The account has no password of its own: it signs in through another system, or only with a smart card or key. Lockstep skips it; no action is needed.',
  },
  no_rights: {
    retry: 'rejected',
    status: 422,
    says: 'The service account of Lockstep may not set this password. Grant it the right, then change the password again.',
  },
  wrong_current_password: {
    retry: 'rejected',
    status: 422,
    says: 'The current password is wrong, so nothing was changed. Enter it again.',
  },
  old_password_not_stored: {
    retry: 'rejected',
    status: 422,
    says: 'The adapter verifies the old password, but no credential of this account is stored, so nothing was changed. Store the password that the account has with "lockstep mappings set-credentials", or set verifyOldPassword of the adapter to false. Then change the password again.',
  },
  wrong_old_password: {
    retry: 'rejected',
    status: 422,
    says: 'The old password of the capture is not the stored one of this account, so nothing was changed. Store the password that the account has with "lockstep mappings set-credentials", then change the password again.',
  },
  old_password_refused: {
    retry: 'rejected',
    status: 422,
    says: 'The system needs the old password with the new one, and the one that Lockstep has stored is missing or wrong, so this account was not changed. Store the password that the account has with "lockstep mappings set-credentials", then change the password again.',
  },
  mapping_conflict: {
    retry: 'rejected',
    status: 422,
    says: 'The person has two accounts in the directory or in the source of an adapter, so it is not clear which ones belong together, and nothing was changed. Disable a mapping, unlink an account, or set allowMappingConflicts of the adapter.',
  },
  mapping_not_in_use: {
    retry: 'rejected',
    status: 422,
    says: 'After the password was captured, the mapping of the account was disabled or deleted, or its application was disabled, so nothing was changed. Enable the mapping, then change the password again.',
  },
  filter_conflict: {
    retry: 'rejected',
    status: 422,
    says: 'The account is mapped to two applications whose password filters differ, so no password suits both, and the account was not changed. Give both applications the same passwordFilter, or delete one of the mappings.',
  },
  current_password_blocked: {
    retry: 'rejected',
    status: 422,
    says: 'Too many current passwords of this account were wrong, so this one was not tried and nothing was changed. Try again in a day, or let the help desk set a new password.',
  },
  encoding_not_supported: {
    retry: 'rejected',
    status: 422,
    says: 'The password came as a hash of a scheme that the source does not accept. Run "lockstep plan" to see which forms each source accepts.',
  },
  not_supported: {
    retry: 'rejected',
    status: 422,
    says: 'The source does not support this operation. Check its settings with "lockstep doctor".',
  },
  read_only: {
    retry: 'rejected',
    status: 422,
    says: 'The source is a read-only replica. Configure the address of a server that accepts writes.',
  },
  not_proved: {
    retry: 'unknown',
    status: 502,
    says: 'The source reported success, but a login with the new password was refused. Look at the account in the source.',
    waits: 'Lockstep tries five times, then parks the account.',
  },
  unknown: {
    retry: 'unknown',
    status: 502,
    says: 'The source returned an error that Lockstep does not know. Look up its code, which is kept with the outcome, in the documentation of the source.',
    waits: 'Lockstep tries five times, then parks the account.',
  },
  lockstep_failed: {
    retry: 'unknown',
    status: 500,
    says: 'Lockstep itself failed before it wrote the password. This is no failure of the source. The log of the worker contains the error: correct its cause, or report it to the authors of Lockstep.',
    waits: 'Lockstep tries five times, then parks the account.',
  },
  not_acknowledged: {
    retry: 'rejected',
    status: 504,
    says: 'The adapter of the source received the password as often as retryCount allows and never acknowledged it, so the account may hold either password. Search the log of the adapter for the tracking id that the audit shows, then change the password again.',
  },
  adapter_offline: {
    retry: 'rejected',
    status: 503,
    says: 'The adapter of the source is offline, and storeWhenOffline is off for the source, so nothing was sent. Start the adapter, then change the password again.',
  },
  too_old: {
    retry: 'rejected',
    status: 410,
    says: 'The change expired before the source accepted the password. Change the password again.',
  },
  no_auth_account: {
    retry: 'rejected',
    status: 422,
    says: 'This person has no account in the auth source of the group, so nothing was attempted. Link one, then change the password again.',
  },

  no_longer_authorized: {
    retry: 'rejected',
    status: 403,
    says: 'The API key that requested the change was revoked, or bound to other groups, before this account was written. Change the password again with a key that may.',
  },

  // The request is refused before anything is started.
  unauthenticated: {
    retry: 'never',
    status: 401,
    says: 'The API key is missing or not valid. Send "Authorization: Bearer lks_…"; "lockstep keys create" makes a key.',
  },
  forbidden: {
    retry: 'never',
    status: 403,
    says: 'This API key does not have the scope that the request needs. Use another key; "lockstep keys list" shows the scopes of each.',
  },
  sign_in_again: {
    retry: 'never',
    status: 403,
    says: 'This needs a recent sign-in. Sign in again, then repeat it.',
  },
  current_password_needed: {
    retry: 'never',
    status: 403,
    says: 'This API key may change a password only together with the current one. Send currentPassword, or use a key with the scope help-desk or trigger.',
  },
  identity_unknown: {
    retry: 'never',
    status: 404,
    says: 'No such person exists, or this API key may not change them. Check the name with "lockstep identities".',
  },
  not_found: {
    retry: 'never',
    status: 404,
    says: 'Nothing exists at this address, or this API key may not see it. Check the path and the ids in it.',
  },
  lookup_refused: {
    retry: 'never',
    status: 404,
    says: 'The lookup service returns no credential for this request. Every refusal has this answer. "lockstep audit --action credential.refused" shows the reason.',
  },
  keys_away: {
    retry: 'never',
    status: 503,
    says: 'The lookup service cannot read the master key of this credential. Make the key folder or the key server available, then try again; "lockstep sso secret status" shows the keys.',
  },
  method_not_allowed: {
    retry: 'never',
    status: 405,
    says: 'This address does not support that method. Use one of those in the Allow header.',
  },
  body_too_large: {
    retry: 'never',
    status: 400,
    says: 'The request body is larger than allowed. Send a smaller one.',
  },
  body_not_json: {
    retry: 'never',
    status: 400,
    says: 'The request body is not valid JSON. Correct it at the offset given as "at".',
  },
  body_encoding: {
    retry: 'never',
    status: 400,
    says: 'The request body is not UTF-8 JSON without compression. Send it as such, with Content-Type: application/json.',
  },
  unsupported_character: {
    retry: 'never',
    status: 400,
    says: 'A text in the request holds NUL or half of a surrogate pair. Remove that character.',
  },
  request_invalid: {
    retry: 'never',
    status: 400,
    says: 'The request does not match the documented schema. Correct what is listed as "issues", or found at "at".',
  },
  request_malformed: {
    retry: 'never',
    status: 400,
    says: 'The request is not valid HTTP, or has more than one Host header. Correct the client, or the proxy before the API.',
  },
  request_too_slow: {
    retry: 'never',
    status: 408,
    says: 'The request did not arrive in time. Send it again, at once and whole.',
  },
  headers_too_large: {
    retry: 'never',
    status: 431,
    says: 'The headers of the request are larger than allowed. Send fewer or shorter ones.',
  },
  precondition_failed: {
    retry: 'never',
    status: 412,
    says: 'If-None-Match names what exists already, so nothing was changed. Omit the header to change it.',
  },
  sign_in_closed: {
    retry: 'never',
    status: 429,
    says: 'A recent login to this account failed, or one is running. Lockstep blocks further ones for a while, to prevent guessing and lockout, so nothing is known about this password. Try again later.',
  },
  too_many_streams: {
    retry: 'never',
    status: 429,
    says: 'This API key, or all keys together, have too many event streams open. Close some, or read the changes with wait= instead.',
  },
  scim_filter_invalid: {
    retry: 'never',
    status: 400,
    says: 'The filter is not supported. Compare id, userName, externalId or active with eq, ne, co, sw, ew or pr; join comparisons with and, or, not and parentheses.',
  },
  scim_path_invalid: {
    retry: 'never',
    status: 400,
    says: 'The path of an operation does not follow RFC 7644. Correct the path.',
  },
  scim_no_target: {
    retry: 'never',
    status: 400,
    says: 'An operation that removes something names no path. Add the path.',
  },
  scim_value_invalid: {
    retry: 'never',
    status: 400,
    says: 'A value is missing or has the wrong type. Send userName (required), externalId and password as text, and active as true or false.',
  },
  scim_version_outdated: {
    retry: 'never',
    status: 412,
    says: 'The user was changed after the version that If-Match names. Read the user again, then repeat the request.',
  },
  capture_disabled: {
    retry: 'never',
    status: 403,
    says: 'The source accepts no captures, or none from this API key. Set capture.enabled for the source in the configuration.',
  },
  adapter_disabled: {
    retry: 'never',
    status: 403,
    says: 'The adapter is disabled, so every call is refused. Enable the source in the configuration, and the adapter block if it has one.',
  },
  adapter_not_initialised: {
    retry: 'never',
    status: 409,
    says: 'The adapter has no session with this process of the API, which may have been restarted. Call initialise, then repeat the request.',
  },
  too_many_pending: {
    retry: 'never',
    status: 429,
    says: 'The adapter has as many unacknowledged messages as maxPending allows. Acknowledge one of them with complete, then receive more.',
  },
  sync_not_allowed: {
    retry: 'never',
    status: 403,
    says: 'The adapter of this source may not report passwords. It has to be enabled with syncFromAdapter, and a switch of sso.switches has to be on; "lockstep adapters show" shows them.',
  },
  captures_stopped: {
    retry: 'never',
    status: 503,
    says: 'An operator has stopped the captures of this source, so this one was not accepted. Send it again until it is accepted; "lockstep captures start" resumes them.',
  },
  startpoint_not_possible: {
    retry: 'never',
    status: 409,
    says: 'No relay reads this source, so it has no cursor or beginning to return to. Set the startpoint to end, or to a time.',
  },
  current_password_missing: {
    retry: 'never',
    status: 422,
    says: 'A capture from this source must include the current password. Send currentPassword, or set capture.verifyCurrent (for an adapter verifyOldPassword) to false for the source.',
  },
  encoding_unknown: {
    retry: 'never',
    status: 422,
    says: 'The password hash is of a scheme that Lockstep does not know, is malformed, or asks for more work than a login may. Send a hash of a scheme that docs/connectors.md lists.',
  },
  form_not_taken: {
    retry: 'never',
    status: 422,
    says: 'The source is not configured to capture passwords in this form. Send one of the forms in capture.forms, or add this one there.',
  },
  capture_unreadable: {
    retry: 'never',
    status: 422,
    says: 'The capture cannot be opened: it is damaged, or its key was destroyed while the relay was disconnected. Change the password again.',
  },
  password_against_policy: {
    retry: 'never',
    status: 422,
    says: 'The password does not satisfy the policy of the group. Choose one that satisfies the rules given with this error.',
  },
  policy_file_unreadable: {
    retry: 'never',
    status: 503,
    says: 'A file that the policy of the group names cannot be read, so the password cannot be checked. Run "lockstep plan" to see which file.',
  },
  group_needed: {
    retry: 'never',
    status: 422,
    says: 'This person is in groups with different auth sources. Name the group.',
  },
  no_group: {
    retry: 'never',
    status: 422,
    says: 'This person has no account in any group. Link an account, or add its source to a group.',
  },
  auth_account_refused: {
    retry: 'never',
    status: 422,
    says: 'The auth account did not take the password, so no other account was tried. Correct what the reason given with this error names, then change the password again.',
  },
  idempotency_conflict: {
    retry: 'never',
    status: 422,
    says: 'This Idempotency-Key was used for a different request. Use a new one.',
  },
  configuration_invalid: {
    retry: 'never',
    status: 422,
    says: 'The configuration is not valid, so nothing was changed. Correct the issues given with this error.',
  },
  configuration_changed: {
    retry: 'never',
    status: 409,
    says: 'The configuration changed after it was planned. Run "lockstep plan" again.',
  },
  change_ended: {
    retry: 'never',
    status: 409,
    says: 'The change has ended and its password is destroyed. Start a new change.',
  },
  change_open: {
    retry: 'never',
    status: 409,
    says: 'A change of this person is open. Wait until it has ended, or cancel it with "lockstep cancel", then delete the person.',
  },
  already_exists: {
    retry: 'never',
    status: 409,
    says: 'An entry of this name already exists. Choose another name, or change the existing entry.',
  },
  mapping_enabled: {
    retry: 'never',
    status: 409,
    says: 'The mapping is enabled. Disable it with "lockstep mappings disable" before you delete it.',
  },
  credential_wrong: {
    retry: 'never',
    status: 422,
    says: 'The account holds another password, so nothing was stored. Enter the password that the account has now.',
  },
  credential_not_verified: {
    retry: 'never',
    status: 424,
    says: 'The password could not be verified, or the key store is unavailable, so nothing was stored; "reason" shows why, if it is known. Try again once the source and the key store can be reached and a worker runs.',
  },
  credential_outdated: {
    retry: 'never',
    status: 409,
    says: 'The account was changed in the meantime: a newer password is under way, or it was renamed or unlinked. So nothing was stored. A newer password is stored by its change; try again only if the credential is still wrong after that has ended.',
  },
  mapping_taken: {
    retry: 'never',
    status: 409,
    says: 'The person has another mapping of this application already, and its type allows one. Disable and delete that mapping first, or use an application of the type host-group.',
  },
  account_linked: {
    retry: 'never',
    status: 409,
    says: 'An account belongs to one person, and this one is linked already, as the issues given with this error show. Link another account, or first remove the other link with "lockstep identities unlink".',
  },
  database_away: {
    retry: 'never',
    status: 503,
    says: 'Lockstep cannot reach its database. Send the request again; if it had an Idempotency-Key, with the same one.',
  },
  no_epoch: {
    retry: 'never',
    status: 503,
    says: 'No worker has published a key to seal passwords to. Start a worker, then send the request again.',
  },
  internal: {
    retry: 'never',
    status: 500,
    says: 'Internal error. Search the log of the api for the request id.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof table;

/** The codes of one retry class, as a type: `CodeOf<'offline'>` holds `unreachable`, `busy` and the like. */
export type CodeOf<R extends Retry> = {
  [Code in ErrorCode]: (typeof table)[Code]['retry'] extends R ? Code : never;
}[ErrorCode];

/** Why one account does not hold the new password yet, or will not. */
export type Reason = CodeOf<'offline' | 'rejected' | 'unknown'>;

export const errors: Readonly<Record<ErrorCode, ErrorRow>> = table;

/** The sentences about an error after which Lockstep goes on by itself. */
export const waitingSays = (code: ErrorCode): string => {
  const { says, waits } = errors[code];
  return waits === undefined ? says : `${says} ${waits}`;
};

/** The same about a source that an operator has paused. @param by who that is; null if it is not known */
export const pausedSays = (by: string | null): string =>
  `${paused(by ?? 'An operator')} ${errors.source_paused.waits ?? ''}`;

export const errorCodes = Object.keys(table) as ErrorCode[];

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(table, code);
