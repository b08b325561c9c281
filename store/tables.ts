import type { ColumnType, Generated } from 'kysely';
import type { MessageResult } from '../model/adapters/message';
import type { JobProgress } from '../model/api/jobs';
import type { Scope } from '../model/api/scopes';
import type { Startpoint } from '../model/captures/startpoint';
import type { ChangeState, Role } from '../model/change/change';
import type { CredentialOrigin } from '../model/change/credential-origin';
import type { MappingState } from '../model/change/mapping';
import type { OutcomeState, Proof } from '../model/change/outcome';
import type { LeaveOutCode } from '../model/change/plan';
import type { SignInObstacle } from '../model/change/sign-in-prevented';
import type { Configuration } from '../model/configuration/document';
import type { ErrorCode, Reason } from '../model/errors';
import type { Form } from '../model/hashes/encoding';
import type { NoticeKind } from '../model/notices/kinds';
import type { DeliveryReason } from '../model/notices/retry';
import type { DeliveryState } from '../model/notices/states';
import type { AccountAction } from '../model/people/account-actions';
import type { StoredProblem } from '../model/people/links';
import type { EventJwk } from '../sealing/event-key';
import type { JsonWebKey, KeyPurpose } from '../sealing/published-key';

type Time = ColumnType<Date, Date | string | undefined, Date | string>;
type OptionalTime = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
type Json<T> = ColumnType<T, string, string>;

export interface ConfigurationTable {
  version: number;
  document: Json<Configuration>;
  applied_by: string;
  applied_at: Time;
}

export interface IdentityTable {
  id: string;
  name: string;
  attributes: Json<Record<string, string>>;
  last_seq: Generated<number>;
  created_at: Time;
}

export interface AccountTable {
  id: string;
  identity_id: string;
  source: string;
  /** The name in the spelling of the source. */
  name: string;
  /** The canonical name, by which accounts are compared. Unique in the source, except for `linked_twice`. */
  name_key: string;
  /** Unique in the source, except for `linked_twice`. */
  native_id: string | null;
  /** True once the source has shown the id, or that it has none. */
  id_learnt: Generated<boolean>;
  problem: Generated<StoredProblem | null>;
  /** When the source showed the problem. Not cleared with it. */
  problem_at: OptionalTime;
  /** When a complete list of the source was first without the account; null while it is listed. */
  missing_since: OptionalTime;
  is_primary: Generated<boolean>;
  /** Who linked the account: `operator`, `correlation`, `refresh` or `scim`. */
  linked_by: string;
  linked_at: Time;
  /** Sequence number of the newest change whose password the account is known to hold. */
  applied_seq: Generated<number>;
  /**
   * Sequence number of the newest change that began to write the account. No other change writes it until
   * `claimed_until`.
   */
  claimed_seq: Generated<number>;
  claimed_until: OptionalTime;
  /** When the password of the account was last changed, as its source reported it to the last look job. */
  changed_there_at: OptionalTime;
}

export interface MappingTable {
  id: string;
  application: string;
  identity_id: string;
  account_id: string;
  enabled: Generated<boolean>;
  state: Generated<MappingState>;
  reason: string | null;
  sealed: Buffer | null;
  /** How the credential came; null for none, and for one that an earlier release stored. */
  stored_from: CredentialOrigin | null;
  master_key_id: string | null;
  applied_seq: Generated<number>;
  /** When the credential was stored or flagged; the time of the creation before that. */
  updated_at: Time;
}

export interface EpochTable {
  id: string;
  purpose: Generated<KeyPurpose>;
  public_key: Json<JsonWebKey>;
  signature: string;
  created_at: Time;
  seal_until: Time;
  destroyed_at: OptionalTime;
}

export interface ApiKeyTable {
  id: string;
  name: string;
  hash: Buffer;
  scopes: Scope[];
  /** The groups that the key is limited to; null: every group. */
  groups: string[] | null;
  created_by: string;
  created_at: Time;
  expires_at: OptionalTime;
  revoked_at: OptionalTime;
  last_used_at: OptionalTime;
  /** Who uses the key, for a key of the help desk. */
  agent: string | null;
  /** The only source for which the key may register a relay, or be its adapter; null for other keys. */
  source: string | null;
  /** The hash before the key was rotated, and until when it is accepted. */
  previous_hash: Buffer | null;
  previous_until: OptionalTime;
  /** The only person whom the key may act for; null: not bound to a person. */
  identity_id: string | null;
  /** The identity provider at which the user of this row signs in, and its id of the user; null for an API key. */
  issuer: Generated<string | null>;
  subject: Generated<string | null>;
}

export interface ChangeTable {
  id: string;
  identity_id: string;
  identity_name: string;
  seq: number;
  groups: string[];
  state: Generated<ChangeState>;
  reason: ErrorCode | null;
  requested_by: string;
  requested_by_name: string;
  idempotency_key: string | null;
  fingerprint: Buffer | null;
  /**
   * The account in which the password was changed; null unless the change was captured. The account may have been
   * unlinked since.
   */
  origin_account_id: string | null;
  captured_at: OptionalTime;
  /** Whether the password came in plain text, or as which kind of hash. */
  form: Generated<Form>;
  /** Its accounts may hold the password already, so each is checked before it is written. */
  looks_first: Generated<boolean>;
  /** True for a change that only updates the stored credential of the account in which the password was changed. */
  partial: Generated<boolean>;
  /**
   * Keyed hashes of the password itself (first) and of what password filters make of it. Null: the change has none,
   * or they were forgotten.
   */
  password_fingerprints: Buffer[] | null;
  configuration_version: number;
  created_at: Time;
  expires_at: Time;
  planned_at: OptionalTime;
  /** Until this time no worker needs to check the workflow of this change again. */
  attended_until: OptionalTime;
  ended_at: OptionalTime;
}

export interface SealedSecretTable {
  change_id: string;
  epoch_id: string;
  jwe: Buffer;
  expires_at: Time;
}

export interface OutcomeTable {
  change_id: string;
  label: string;
  position: number;
  source: string;
  account_id: string | null;
  account_name: string | null;
  role: Role;
  state: OutcomeState;
  /** Of an applied account: why it could not be verified, or what keeps the person from signing in. */
  reason: ErrorCode | LeaveOutCode | SignInObstacle | null;
  vendor_code: string | null;
  attempts: Generated<number>;
  /** How many attempts ended with an unknown error. Only these attempts are limited. */
  unknowns: Generated<number>;
  in_doubt: Generated<boolean>;
  proof: Generated<Proof>;
  next_try_at: OptionalTime;
  updated_at: Time;
}

export type CommandKind = 'cancel' | 'retry' | 'park' | 'supersede';

export interface CommandTable {
  id: Generated<number>;
  change_id: string;
  kind: CommandKind;
  label: string | null;
  requested_by: string;
  created_at: Time;
  delivered_at: OptionalTime;
}

/** A source that is down or paused. A source without a row is up. */
export interface SourceStateTable {
  source: string;
  condition: 'down' | 'paused';
  reason: Reason;
  /** Who set the state: `worker`, `maintenance`, or the caller that asked for it. */
  set_by: string;
  since: Time;
  failures: Generated<number>;
  /** When the next probe is due; null while the source is paused. */
  next_probe_at: OptionalTime;
  probing_until: OptionalTime;
  /** When a pause ends by itself; null if an operator ends it. */
  until: OptionalTime;
}

/** Accounts of a source with limits that one step writes. A row is kept after its end while the rate counts it. */
export interface SourceTurnTable {
  id: Generated<number>;
  source: string;
  accounts: number;
  taken_at: Time;
  /** When the accounts stop counting as being written: the end of the step, or of its lease. */
  until: Time;
}

/** `wake` is given by the worker, for accounts that wait for the source itself. Operators give the others. */
export type SourceCommandKind = 'wake' | 'retry' | 'park' | 'cancel';

/**
 * A command for all accounts that waited on a source when it was given. A worker hands it out to their changes at
 * `per_second`.
 */
export interface SourceCommandTable {
  id: Generated<number>;
  source: string;
  kind: SourceCommandKind;
  per_second: number;
  /** Only the accounts that wait for this reason; null for all. */
  reason: string | null;
  requested_by: string;
  created_at: Time;
  next_at: Time;
  finished_at: OptionalTime;
}

export type JobKind =
  | 'check'
  | 'refresh'
  | 'look'
  | 'sign-in'
  | 'set-credentials'
  | 'verify-audit'
  | AccountAction;

export interface JobTable {
  id: string;
  kind: JobKind;
  /** Null for a job that concerns no source. */
  source: string | null;
  parameters: Json<Record<string, unknown>>;
  state: Generated<'open' | 'done' | 'failed'>;
  result: ColumnType<unknown, string | null | undefined, string | null>;
  requested_by: string;
  created_at: Time;
  claimed_until: OptionalTime;
  finished_at: OptionalTime;
  /** How far the worker is; null when it has reported nothing. */
  progress: ColumnType<JobProgress | null, string | undefined, string>;
}

export interface RelayTable {
  id: string;
  source: string;
  api_key_id: string;
  /** Public key that verifies the signatures of the relay's batches. */
  public_key: Json<JsonWebKey>;
  /** Number of the last request. A request with a lower number was sent earlier, and is not ingested. */
  last_request: Generated<number>;
  /** Segment of the last record that was ingested; null before the first. */
  segment: string | null;
  position: Generated<number>;
  /** Sequence by which the source names that change, where it reports one. */
  source_sequence: string | null;
  /** How many records were stored. */
  received: Generated<number>;
  /** Records that will never arrive, because they were damaged on the machine of the relay or could not be opened. */
  lost: Generated<number>;
  created_at: Time;
  heard_at: OptionalTime;
  /** Version of the relay software, as its last request reported it. */
  version: string | null;
  /** Captures that wait on the machine of the relay. */
  backlog: Generated<number>;
  /** When the oldest of them was captured. */
  oldest_at: OptionalTime;
  /** Damaged spool segments that the relay has set apart. */
  quarantined: Generated<number>;
  /** How far the clock of the relay is ahead of the clock of the database, in milliseconds. */
  clock_ahead_ms: number | null;
  /** Host name that the machine of the relay reports. */
  host: string | null;
  /** Whether the relay captures changes of its own host only, or all changes of its source. */
  covers: Generated<'host' | 'source'>;
  /** Why a relay that reads its source cannot read it; null when it can, or reads no source. */
  trouble: string | null;
  /** Number of the startpoint that the relay applied last; null when it reads no source. */
  startpoint_applied: number | null;
  /** How often the source had trimmed changes before the relay read them. */
  missed: Generated<number>;
}

/** What an operator has set for the captures of a source: see `captures/control.ts`. */
export interface CaptureControlTable {
  source: string;
  stopped_at: OptionalTime;
  stopped_by: string | null;
  startpoint_number: Generated<number>;
  start_from: Startpoint['from'] | null;
  start_cursor: string | null;
  start_at: OptionalTime;
  startpoint_set_at: OptionalTime;
  startpoint_set_by: string | null;
}

/** A server of a source, as the source reported it. */
export interface ReplicaTable {
  source: string;
  host: string;
  writable: boolean;
  seen_at: Time;
}

export interface SealedCaptureTable {
  id: Generated<number>;
  relay_id: string;
  epoch_id: string;
  jwe: Buffer;
  expires_at: Time;
  next_try_at: Time;
}

/** A capture of an account that is linked to no person yet. */
export interface KeptCaptureTable {
  source: string;
  /** The canonical name of the account. */
  account_key: string;
  relay_id: string;
  epoch_id: string;
  jwe: Buffer;
  captured_at: Time;
  expires_at: Time;
}

/** The last capture of an account that was declined and left it with a password of its own. */
export interface DeclinedCaptureTable {
  account_id: string;
  reason: string;
  captured_at: Time;
}

/** A user that an identity provider has pushed to `/scim/v2`. An account of that name need not exist. */
export interface ScimUserTable {
  id: string;
  source: string;
  user_name: string;
  external_id: string | null;
  active: boolean | null;
  version: Generated<number>;
  created_at: Time;
  updated_at: Time;
}

/** Accounts that are not asked for a sign-in check for a while, because such a login failed or is under way. */
export interface SignInGuardTable {
  account_id: string;
  failures: number;
  closed_until: Time;
}

export interface SealedSignInTable {
  job_id: string;
  account_id: string;
  epoch_id: string;
  jwe: Buffer;
  expires_at: Time;
}

export interface WorkerPresenceTable {
  worker_id: string;
  engine_reachable: boolean;
  seen_at: Time;
  engine_lacks: Generated<string[]>;
  /** The address of the server that the worker uses, by source. */
  servers: Generated<Readonly<Record<string, string>>>;
  engine_problem: string | null;
  /** Why the worker cannot seal new credentials; null when it can. */
  key_store_problem: string | null;
  /** Master keys without a backup; none while no application is configured. */
  unsaved_master_keys: Generated<string[]>;
  /** The master key with which the worker seals new credentials. */
  current_master_key: string | null;
  /** The sources to which the worker is bound; null for a worker of all sources that are not isolated. */
  sources: string[] | null;
}

/** A master key that a key server has sealed. */
export interface MasterKeyTable {
  id: string;
  sealed: string;
  /** Recognises the key when it is opened. */
  fingerprint: Buffer;
  /** When a backup of the key was recorded. */
  saved_at: OptionalTime;
  created_at: Time;
}

/** A notice to a person or to operators, until it is forgotten. */
export interface NoticeTable {
  id: Generated<string>;
  /** Grows with each notice. */
  number: Generated<number>;
  kind: NoticeKind;
  /** A notice with the same key is not written again. */
  key: string | null;
  identity_id: string | null;
  change_id: string | null;
  /** The source, relay, key or channel that it is about. */
  subject: string | null;
  reminder: Generated<boolean>;
  detail: ColumnType<Record<string, unknown>, string | undefined, string>;
  /** When the reported event happened. */
  created_at: Time;
  due_at: Time;
  state: Generated<'new' | 'sending' | 'sent' | 'withdrawn'>;
  /** Until this time no worker needs to check the workflow of this notice again. */
  attended_until: OptionalTime;
}

export interface NoticeDeliveryTable {
  id: Generated<string>;
  notice_id: string;
  channel: string;
  /** The mail address; null for a receiver that the channel names. */
  recipient: string | null;
  state: Generated<DeliveryState>;
  reason: DeliveryReason | null;
  attempts: Generated<number>;
  next_try_at: OptionalTime;
  updated_at: Time;
}

/** A channel whose receiver no longer exists. It is closed for these settings only. */
export interface ClosedChannelTable {
  channel: string;
  settings: Json<Readonly<Record<string, unknown>>>;
  closed_at: Time;
}

/** A public key that verifies security events, signed like an epoch. */
export interface EventKeyTable {
  id: string;
  public_key: Json<EventJwk>;
  signature: string;
  created_at: Time;
}

/** A sign-in to the console: with an API key, or with a password change of the person, which it lets them follow. */
export interface SessionTable {
  id: string;
  hash: Buffer;
  key_id: string | null;
  /** The hash of the secret of the key with which the session was started. */
  key_hash: Buffer | null;
  change_id: string | null;
  created_at: Time;
  seen_at: Time;
  expires_at: Time;
  ended_at: OptionalTime;
  /** When its user last proved who they are; null if the identity provider does not report it. */
  authenticated_at: OptionalTime;
}

export interface OneTimeLinkTable {
  id: string;
  /** Null until a worker has made the code of a link that is sent by mail. */
  hash: Buffer | null;
  identity_id: string;
  /** The key of the agent who made the link. */
  key_id: string;
  /** Sequence number of the newest change of the person when the link was made. */
  last_seq: number;
  /** The newest change that the link has started. */
  change_id: string | null;
  busy_until: OptionalTime;
  created_at: Time;
  expires_at: Time;
  revoked_at: OptionalTime;
}

/** An external program of a source of the kind `pull`, as it was last initialised. */
export interface AdapterTable {
  source: string;
  key_id: string;
  /** Key to which a worker seals messages. */
  public_key: Json<JsonWebKey>;
  /** True for a key of the adapter itself; false for the session key of an api process. */
  own_key: boolean;
  /** False once the adapter has reported that it goes offline. */
  online: Generated<boolean>;
  initialised_at: Time;
  seen_at: Time;
  /** When it has connected after it was offline; null if it has not since this column exists. */
  online_since: OptionalTime;
  /** When it last asked for messages. */
  received_at: OptionalTime;
}

/** A password change on its way to an adapter: one for each account of a change. */
export interface AdapterMessageTable {
  /** The tracking id. */
  id: string;
  source: string;
  change_id: string;
  label: string;
  account_id: string;
  seq: number;
  /** JWE compact, to the key `key_id`. Null once the message cannot be delivered any more. */
  sealed: Buffer | null;
  key_id: string;
  most_deliveries: number;
  lease_seconds: number;
  deliveries: Generated<number>;
  /** Until this time the adapter may work on the message, and no other delivery of the account is made. */
  leased_until: OptionalTime;
  created_at: Time;
  expires_at: Time;
  settled_at: OptionalTime;
  result: MessageResult | null;
  reason: Reason | null;
  vendor_code: string | null;
  retry_after_ms: number | null;
}

export interface AuditTable {
  id: Generated<number>;
  at: Time;
  actor: string;
  action: string;
  change_id: string | null;
  subject: string | null;
  detail: ColumnType<Record<string, unknown>, string | undefined, string>;
  position: number | null;
  hash: Buffer | null;
  /** The key of the hash; null for a record that is not chained yet, or was chained before the chain was keyed. */
  key_id: string | null;
}

export interface Tables {
  configuration: ConfigurationTable;
  identity: IdentityTable;
  account: AccountTable;
  mapping: MappingTable;
  epoch: EpochTable;
  api_key: ApiKeyTable;
  change: ChangeTable;
  sealed_secret: SealedSecretTable;
  outcome: OutcomeTable;
  command: CommandTable;
  source_state: SourceStateTable;
  source_command: SourceCommandTable;
  source_turn: SourceTurnTable;
  job: JobTable;
  relay: RelayTable;
  capture_control: CaptureControlTable;
  replica: ReplicaTable;
  sealed_capture: SealedCaptureTable;
  kept_capture: KeptCaptureTable;
  declined_capture: DeclinedCaptureTable;
  scim_user: ScimUserTable;
  sign_in_guard: SignInGuardTable;
  sealed_sign_in: SealedSignInTable;
  worker_presence: WorkerPresenceTable;
  master_key: MasterKeyTable;
  notice: NoticeTable;
  notice_delivery: NoticeDeliveryTable;
  closed_channel: ClosedChannelTable;
  event_key: EventKeyTable;
  session: SessionTable;
  adapter: AdapterTable;
  adapter_message: AdapterMessageTable;
  one_time_link: OneTimeLinkTable;
  audit: AuditTable;
}
