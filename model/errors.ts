/**
 * Every way in which Lockstep can say no, in one table. Nothing below this module lists codes again:
 * the API takes its status from here, the worker its retry class, the docs their page.
 *
 * Vendor errors are translated into these codes by the connectors, at the edge, and nowhere else.
 */

/**
 * What is done about it:
 * - `offline`: nothing is wrong with the password; tried again with growing waits until the change is too old.
 * - `rejected`: this source refuses this value; never tried again with it.
 * - `unknown`: nobody knows; five attempts, then it is parked until an operator decides.
 * - `never`: the request itself is refused; nothing was started.
 */
export type Retry = 'offline' | 'rejected' | 'unknown' | 'never';

interface ErrorRow {
  readonly retry: Retry;
  /** HTTP status when this is the answer to a request. */
  readonly status: number;
  /** What happened and what to do, for the person who reads it. Never holds a value. */
  readonly says: string;
}

const table = {
  // A source that cannot be used now.
  unreachable: {
    retry: 'offline',
    status: 503,
    says: 'The source cannot be reached. It is tried again; check that it runs and that the worker may connect to it.',
  },
  busy: {
    retry: 'offline',
    status: 503,
    says: 'The source says that it is busy. It is tried again.',
  },
  throttled: {
    retry: 'offline',
    status: 503,
    says: 'The source limits how often it is called. It is tried again when it allows.',
  },
  account_locked: {
    retry: 'offline',
    status: 503,
    says: 'The source has locked this account for a while. It is tried again after the lock.',
  },
  certificate_refused: {
    retry: 'offline',
    status: 503,
    says: 'The certificate of the source is not trusted. Check the ca setting and the host name with "lockstep doctor"; it is tried again.',
  },
  service_credential_refused: {
    retry: 'offline',
    status: 503,
    says: 'The source refuses the service account of Lockstep. So that this account is not locked out, nobody asks the source any more: correct the name or password, then "lockstep sources resume".',
  },
  source_paused: {
    retry: 'offline',
    status: 409,
    says: 'An operator has paused this source, so its accounts wait. "lockstep sources resume" lets them go on.',
  },
  in_doubt: {
    retry: 'offline',
    status: 503,
    says: 'The source was cut off before it answered, so the password may or may not be written. It is looked up before anything is written again.',
  },
  account_in_use: {
    retry: 'offline',
    status: 503,
    says: 'Somebody else is writing this account at this moment. It is tried again in a moment.',
  },
  others_first: {
    retry: 'offline',
    status: 503,
    says: 'The group is directory-last: this account is changed when every other one holds the new password.',
  },

  // A source that refuses this value for this account.
  policy_too_short: {
    retry: 'rejected',
    status: 422,
    says: 'The source finds the password too short. Choose a longer one.',
  },
  policy_too_long: {
    retry: 'rejected',
    status: 422,
    says: 'The source finds the password too long. Choose a shorter one.',
  },
  policy_quality: {
    retry: 'rejected',
    status: 422,
    says: 'The source finds the password too simple. Choose one with more kinds of characters.',
  },
  policy_history: {
    retry: 'rejected',
    status: 422,
    says: 'The source remembers this password from before. Choose one that was not used lately.',
  },
  policy_too_young: {
    retry: 'rejected',
    status: 422,
    says: 'The source does not allow another change so soon. Try again when its minimum age has passed.',
  },
  policy: {
    retry: 'rejected',
    status: 422,
    says: 'The password does not satisfy the policy of the source, which does not say why. Compare the policies with "lockstep doctor".',
  },
  character_not_supported: {
    retry: 'rejected',
    status: 422,
    says: 'The password holds a character that the source cannot take. Choose one without it.',
  },
  no_account: {
    retry: 'rejected',
    status: 422,
    says: 'The account is not in the source any more. Link the right one, or remove the link.',
  },
  several_accounts: {
    retry: 'rejected',
    status: 422,
    says: 'More than one account in the source matches this person. Link the right one; Lockstep does not guess.',
  },
  account_disabled: {
    retry: 'rejected',
    status: 422,
    says: 'The account is disabled in the source, which takes no password for it. Enable it there first.',
  },
  no_own_password: {
    retry: 'rejected',
    status: 422,
    says: 'The account has no password of its own: it signs in through another system, or only with a smart card or key. It is left out.',
  },
  no_rights: {
    retry: 'rejected',
    status: 422,
    says: 'The service account of Lockstep may not set this password. Give it the right, then change the password again.',
  },
  wrong_current_password: {
    retry: 'rejected',
    status: 422,
    says: 'The current password is not right. Nothing was changed.',
  },
  encoding_not_supported: {
    retry: 'rejected',
    status: 422,
    says: 'The password came as a hash, and the source does not take one of that scheme. "lockstep plan" tells which forms each source takes.',
  },
  not_supported: {
    retry: 'rejected',
    status: 422,
    says: 'The source cannot do what was asked of it. Check its settings with "lockstep doctor".',
  },
  read_only: {
    retry: 'rejected',
    status: 422,
    says: 'The source is a read-only copy. Point Lockstep at the server that takes writes.',
  },
  not_proved: {
    retry: 'unknown',
    status: 502,
    says: 'The source said yes, but a login with the new password was refused. Look at the account in the source.',
  },
  unknown: {
    retry: 'unknown',
    status: 502,
    says: 'The source answered something that Lockstep does not know. Its code is kept with the outcome.',
  },
  too_old: {
    retry: 'rejected',
    status: 410,
    says: 'The change became too old before the source could take it. Change the password again.',
  },
  no_auth_account: {
    retry: 'rejected',
    status: 422,
    says: 'This person has no account in the auth source of the group, so nothing was attempted. Link one first.',
  },

  no_longer_authorized: {
    retry: 'rejected',
    status: 403,
    says: 'The API key that asked for the change was revoked, or bound to other groups, before this account was written. Change the password again with a key that may.',
  },

  // A request that is refused before anything is started.
  unauthenticated: {
    retry: 'never',
    status: 401,
    says: 'Send an API key: "Authorization: Bearer lks_…". "lockstep keys create" makes one.',
  },
  forbidden: {
    retry: 'never',
    status: 403,
    says: 'This API key does not have the scope that this needs.',
  },
  identity_unknown: {
    retry: 'never',
    status: 404,
    says: 'There is no such person that this API key may change.',
  },
  not_found: { retry: 'never', status: 404, says: 'There is nothing at this address.' },
  method_not_allowed: {
    retry: 'never',
    status: 405,
    says: 'This address does not take that method.',
  },
  body_too_large: { retry: 'never', status: 400, says: 'The request body is larger than allowed.' },
  body_not_json: { retry: 'never', status: 400, says: 'The request body is not JSON.' },
  body_encoding: {
    retry: 'never',
    status: 400,
    says: 'The request body is not UTF-8 JSON without compression.',
  },
  unsupported_character: {
    retry: 'never',
    status: 400,
    says: 'Text may not hold NUL or half of a surrogate pair.',
  },
  request_invalid: {
    retry: 'never',
    status: 400,
    says: 'The request does not have the shape that the API documents.',
  },
  sign_in_closed: {
    retry: 'never',
    status: 429,
    says: 'This account was asked in vain not long ago, or is being asked, so it is left alone for a while: nobody may guess through Lockstep, or be locked out by it. Nothing follows from that.',
  },
  scim_filter_invalid: {
    retry: 'never',
    status: 400,
    says: 'The filter is not understood. Compare id, userName, externalId or active by eq, ne, co, sw, ew or pr; and, or, not and parentheses join.',
  },
  scim_path_invalid: {
    retry: 'never',
    status: 400,
    says: 'The path of an operation is not one of RFC 7644.',
  },
  scim_no_target: {
    retry: 'never',
    status: 400,
    says: 'An operation that removes something has to name its path.',
  },
  scim_value_invalid: {
    retry: 'never',
    status: 400,
    says: 'A value is missing, or is not of the kind that its attribute takes: userName is text and is needed, externalId and password are text, active is true or false.',
  },
  scim_version_outdated: {
    retry: 'never',
    status: 412,
    says: 'The user was changed since the version that If-Match names. Read it again.',
  },
  capture_disabled: {
    retry: 'never',
    status: 403,
    says: 'The source takes no captures, or none from this API key. Set capture.enabled for it in the configuration.',
  },
  captures_stopped: {
    retry: 'never',
    status: 503,
    says: 'An operator has stopped the captures of this source. Nothing was taken: send it again, until it is answered. "lockstep captures start" lets them go on.',
  },
  startpoint_not_possible: {
    retry: 'never',
    status: 409,
    says: 'No relay reads this source, so there is no cursor to go to: what is handed over or pushed comes once. Give end, or a time.',
  },
  current_password_missing: {
    retry: 'never',
    status: 422,
    says: 'A capture from this source has to bring the current password. Send currentPassword, or set capture.verifyCurrent to false for the source.',
  },
  encoding_unknown: {
    retry: 'never',
    status: 422,
    says: 'The encoded password is of no scheme that Lockstep knows, is malformed, or asks for more work than a login may. docs/connectors.md lists the schemes.',
  },
  form_not_taken: {
    retry: 'never',
    status: 422,
    says: 'The source does not give passwords in this form. capture.forms of its configuration says in which it does.',
  },
  capture_unreadable: {
    retry: 'never',
    status: 422,
    says: 'The capture cannot be opened: it is damaged, or its key was destroyed while the relay was cut off. Change the password again.',
  },
  password_against_policy: {
    retry: 'never',
    status: 422,
    says: 'The password does not satisfy the policy of the group.',
  },
  policy_file_unreadable: {
    retry: 'never',
    status: 503,
    says: 'A file that the policy of the group names cannot be read, so nobody can judge the password. "lockstep plan" tells which.',
  },
  group_needed: {
    retry: 'never',
    status: 422,
    says: 'This person is in groups with different auth sources. Name the group.',
  },
  no_group: {
    retry: 'never',
    status: 422,
    says: 'This person has no account in any group. Link an account, or add the source to a group.',
  },
  auth_account_refused: {
    retry: 'never',
    status: 422,
    says: 'The auth account did not take the password, so no other account was tried.',
  },
  idempotency_conflict: {
    retry: 'never',
    status: 422,
    says: 'This Idempotency-Key was used for another request. Use a new one.',
  },
  configuration_invalid: {
    retry: 'never',
    status: 422,
    says: 'The configuration is not valid. Nothing was changed.',
  },
  configuration_changed: {
    retry: 'never',
    status: 409,
    says: 'The configuration changed since it was planned. Run "lockstep plan" again.',
  },
  change_ended: {
    retry: 'never',
    status: 409,
    says: 'The change has ended and its password is destroyed. Start a new change.',
  },
  already_exists: { retry: 'never', status: 409, says: 'There is already one of that name.' },
  database_away: {
    retry: 'never',
    status: 503,
    says: 'The database of Lockstep cannot be reached. Send the request again, with the same Idempotency-Key if it had one.',
  },
  no_epoch: {
    retry: 'never',
    status: 503,
    says: 'No worker has published a key to seal passwords to. Start a worker; send the request again.',
  },
  internal: {
    retry: 'never',
    status: 500,
    says: 'Lockstep made a mistake. The log of the api has it under the request id.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof table;

/** The codes of one retry class, as a type: `CodeOf<'offline'>`. */
export type CodeOf<R extends Retry> = {
  [Code in ErrorCode]: (typeof table)[Code]['retry'] extends R ? Code : never;
}[ErrorCode];

/** Why one account does not hold the new password (yet). */
export type Reason = CodeOf<'offline' | 'rejected' | 'unknown'>;

export const errors: Readonly<Record<ErrorCode, ErrorRow>> = table;

export const errorCodes = Object.keys(table) as ErrorCode[];

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(table, code);
