import type { ColumnType, Generated } from 'kysely';
import type { Startpoint } from '../model/captures/startpoint';
import type { ChangeState, Role } from '../model/change/change';
import type { MappingState } from '../model/change/mapping';
import type { OutcomeState, Proof } from '../model/change/outcome';
import type { LeaveOutCode } from '../model/change/plan';
import type { Configuration } from '../model/configuration/document';
import type { ErrorCode, Reason } from '../model/errors';
import type { Form } from '../model/hashes/encoding';
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
  name: string;
  native_id: string | null;
  is_primary: Generated<boolean>;
  /** `operator`, `correlation`, `refresh` or `scim`. */
  linked_by: string;
  linked_at: Time;
  /** The newest change whose password the account is known to hold. */
  applied_seq: Generated<number>;
  /** The newest change that began to write it; nobody else writes until `claimed_until`. */
  claimed_seq: Generated<number>;
  claimed_until: OptionalTime;
  /** When its password was last changed, as its source told when somebody looked. */
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
  master_key_id: string | null;
  applied_seq: Generated<number>;
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

/** `relay`: of the key of a relay, which is good for nothing else. */
export type Scope = 'trigger' | 'capture' | 'sign-in' | 'read' | 'admin' | 'relay';

export interface ApiKeyTable {
  id: string;
  name: string;
  hash: Buffer;
  scopes: Scope[];
  /** Null: every group. */
  groups: string[] | null;
  created_by: string;
  created_at: Time;
  expires_at: OptionalTime;
  revoked_at: OptionalTime;
  last_used_at: OptionalTime;
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
  /** Where the password was changed, if it was captured; the account may be gone since. */
  origin_account_id: string | null;
  captured_at: OptionalTime;
  /** What its password came as. */
  form: Generated<Form>;
  looks_first: Generated<boolean>;
  /** Of the password itself first, then of what sources get in its place. Null: not remembered, or not any more. */
  password_fingerprints: Buffer[] | null;
  configuration_version: number;
  created_at: Time;
  expires_at: Time;
  planned_at: OptionalTime;
  /** A worker has looked after the workflow of this change; nobody else needs to before this time. */
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
  reason: ErrorCode | LeaveOutCode | null;
  vendor_code: string | null;
  attempts: Generated<number>;
  /** Attempts that ended with an unknown error: the only ones that are limited. */
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

/** A source without a row is up. */
export interface SourceStateTable {
  source: string;
  condition: 'down' | 'paused';
  reason: Reason;
  /** `worker`, or whoever asked. */
  set_by: string;
  since: Time;
  failures: Generated<number>;
  /** Of a source that is down. */
  next_probe_at: OptionalTime;
  probing_until: OptionalTime;
}

/** `wake` is given by the worker: for those who wait for the source itself, and for nothing else. */
export type SourceCommandKind = 'wake' | 'retry' | 'park' | 'cancel';

/** For all accounts that waited on a source when it was given; a worker hands it out to their changes. */
export interface SourceCommandTable {
  id: Generated<number>;
  source: string;
  kind: SourceCommandKind;
  per_second: number;
  requested_by: string;
  created_at: Time;
  next_at: Time;
  finished_at: OptionalTime;
}

export type JobKind = 'check' | 'refresh' | 'look' | 'sign-in';

export interface JobTable {
  id: string;
  kind: JobKind;
  source: string;
  parameters: Json<Record<string, unknown>>;
  state: Generated<'open' | 'done' | 'failed'>;
  result: ColumnType<unknown, string | null | undefined, string | null>;
  requested_by: string;
  created_at: Time;
  claimed_until: OptionalTime;
  finished_at: OptionalTime;
}

export interface RelayTable {
  id: string;
  source: string;
  api_key_id: string;
  /** By which its batches are signed. */
  public_key: Json<JsonWebKey>;
  /** The number of the last request: a lower one was sent before. */
  last_request: Generated<number>;
  /** The last record that was taken in. */
  segment: string | null;
  position: Generated<number>;
  /** How the source calls that change, where it told. */
  source_sequence: string | null;
  received: Generated<number>;
  /** Records that will never come: damaged beside the source, or set aside there. */
  lost: Generated<number>;
  created_at: Time;
  heard_at: OptionalTime;
  /** As the relay told last. */
  version: string | null;
  backlog: Generated<number>;
  oldest_at: OptionalTime;
  quarantined: Generated<number>;
  /** By how much its clock is ahead of the one of the database. */
  clock_ahead_ms: number | null;
  /** The machine that it runs on, as that calls itself. */
  host: string | null;
  /** Whether it captures what is changed on that machine, or all of its source. */
  covers: Generated<'host' | 'source'>;
  /** Of one that reads its source: why it cannot; the startpoint that it went to last (null: it reads none); what it missed. */
  trouble: string | null;
  startpoint_applied: number | null;
  missed: Generated<number>;
}

/** What an operator said of the captures of a source: see `startpoints.ts`. */
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

/** The servers of a source, as it tells. */
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

/** A user as an identity provider pushes it to `/scim/v2`; nobody need have that account. */
export interface ScimUserTable {
  id: string;
  source: string;
  user_name: string;
  external_id: string | null;
  active: boolean;
  version: Generated<number>;
  created_at: Time;
  updated_at: Time;
}

/** Accounts that are asked by nobody for a while, because a login of ours failed, or is under way. */
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
  job: JobTable;
  relay: RelayTable;
  capture_control: CaptureControlTable;
  replica: ReplicaTable;
  sealed_capture: SealedCaptureTable;
  scim_user: ScimUserTable;
  sign_in_guard: SignInGuardTable;
  sealed_sign_in: SealedSignInTable;
  worker_presence: WorkerPresenceTable;
  audit: AuditTable;
}
