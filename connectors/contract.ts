import type { z } from 'zod';
import type { Replica } from '../model/captures/replica';
import type { SignInObstacle } from '../model/change/sign-in-prevented';
import type { CodeOf } from '../model/errors';
import type { Form } from '../model/hashes/encoding';
import type { Secret } from '../model/passwords/secret';
import type { AccountAction } from '../model/people/account-actions';
import { type NotedProblem, notedProblems } from '../model/people/links';
import type { Naming } from '../model/people/naming';
import type { TargetPolicy } from '../model/policy/target-policy';
import type { Mailbox, WriteOf } from './mailbox';

/**
 * Upper limit for one call of a connector, in milliseconds. After it, the connector sends nothing more for that call and
 * waits for no reply. The lease that a worker holds on an account is longer.
 */
export const HARD_DEADLINE_MS = 20_000;

/**
 * The contract between Lockstep and one kind of source. To add a kind, write a folder (or file), a line in `registry.ts`
 * and a run of the conformance suite in `test/connectors/conformance.ts`.
 *
 * Every connector keeps these promises:
 * - **Errors of the vendor are translated.** Each method returns one of the answers below. A table maps the vendor's
 *   codes to them. A method throws only when the connector has a bug. Text from the vendor is dropped, because it may
 *   repeat a password.
 * - **Doubt is reported.** When a write may have reached the source and no reply came back, the answer is `ambiguous`,
 *   never `retry`.
 * - **A write changes only the password.** It does not unlock, enable or expire the account. Only `act` does that.
 * - **Connections are safe.** They always use TLS, and the certificate and the host name are checked. A connection that
 *   had an error is not used again. Every call ends within `HARD_DEADLINE_MS`.
 * - **Secrets are borrowed.** The caller owns and destroys each `Secret`; the connector zeroes every buffer that it
 *   filled from one.
 */
export interface Connector {
  /** Returns the accounts whose attributes equal all of `match`, at most `limit` of them. Correlation uses it. */
  find(request: FindRequest): Promise<FindAnswer>;
  /**
   * Returns one page of all accounts. A refresh of the source uses it. If the source does not return all of them, the
   * last answer is a failure, so a partial list never looks complete.
   */
  list(request: ListRequest): Promise<ListAnswer>;
  /** Reads whether the account is disabled, locked or must change its password. It changes nothing and logs in nowhere. */
  state(request: StateRequest): Promise<StateAnswer>;
  /**
   * Sets the password of the account. A repeated call with the same value ends the same way: where a history rule
   * would reject the repeat, the answer is `already_current`, if the source distinguishes that case. It is called only
   * with a form that the source accepts (`registry.ts` filters the others).
   */
  setPassword(request: SetPasswordRequest): Promise<WriteAnswer>;
  /**
   * Finds out, with at most one login, whether the account holds `password`. A wrong password may count towards a
   * lockout, so Lockstep calls this only for a password that it has just written, or to validate the current password
   * at the request of a caller.
   */
  verify(request: VerifyRequest): Promise<VerifyAnswer>;
  /**
   * Returns the findings for `lockstep doctor`, in the order in which they were checked. It changes nothing in the
   * source, and stops at a problem that makes the later checks meaningless.
   */
  check(): Promise<readonly Finding[]>;
  /**
   * Carries out an action of `Traits.actions` and changes nothing else of the account. Its answer is about the result: if
   * the source accepts the request and ignores it, the action has failed. A repeat is harmless. Missing where there is no
   * action.
   */
  act?(request: ActRequest): Promise<ActAnswer>;
  /** Reads the password policies that bind writes by Lockstep. Missing where the source does not publish them. */
  policies?(): Promise<PoliciesAnswer>;
  /** Reads the servers on which passwords of the source can be changed. Missing where the source does not list them. */
  replicas?(): Promise<ReplicasAnswer>;
  /** The address of the server in use; null before the first request, and for a source with one server. */
  server?(): string | null;
  /** Closes every connection. The connector must not be used afterwards. */
  close(): Promise<void>;
}

/** A system whose accounts sources of several kinds have, or sign in with. */
export type AccountSystem = 'directory' | 'postgresql';

export interface ServiceAccount {
  readonly system: AccountSystem;
  readonly name: string;
}

/** A kind of source, as registered in `registry.ts`. It must load no driver on import, because the api imports it too. */
export interface ConnectorKind<Settings> {
  readonly kind: string;
  readonly title: string;
  /** Schema of the settings: strict, with a description of each field. The configuration reference is made from it. */
  readonly settings: z.ZodType<Settings>;
  /** Names of the settings that refer to a secret. Their value must be `${file:…}` or `${env:…}`. */
  readonly secretSettings: readonly (keyof Settings & string)[];
  /** Traits of the kind. For a single source, `declared` may narrow them. */
  readonly traits: Traits;
  /** Derives from the settings of one source the traits that differ from those of its kind. */
  readonly declared?: (settings: Settings) => Partial<Traits>;
  /** How the accounts of a source with these settings are distinguished. */
  readonly naming: (settings: Settings) => Naming;
  /**
   * The system in which the accounts are. Lockstep never links or writes an account with which it signs in to a source,
   * be it this one or another. Absent if accounts of this kind do not sign in to a source.
   */
  readonly system?: AccountSystem;
  /** The account with which Lockstep signs in. Null if its name is not known from the settings. */
  readonly signsInAs?: (settings: Settings) => ServiceAccount | null;
  /** Requirements on the source, as sentences in Markdown. docs/connectors.md shows them. */
  readonly needs: readonly string[];
  /** Creates a connector for one source. It does no I/O before the first request. */
  readonly open: (settings: Settings, tools: ConnectorTools) => Promise<Connector>;
}

export interface Traits {
  /**
   * The proof that `verify` gives. `login`: a login with the password succeeded, which does the account no harm.
   * `hash`: the stored hash was read and compared. `none`: passwords cannot be verified, so a success response to the
   * write is trusted.
   */
  readonly proof: 'login' | 'hash' | 'none';
  /** Whether a repeated write of the same value does the account no harm, whatever its history rules. */
  readonly repeatable: boolean;
  /** The forms in which a password can be written. Without `plaintext`, the connector hashes a plaintext password. */
  readonly accepts: readonly Form[];
  /** The forms in which the source, or a capture agent on it, can report a password that was changed there. */
  readonly yields: readonly ('plaintext' | 'hash')[];
  /**
   * Whether a capture of this kind of source can include the current password. A domain never shows it to an agent:
   * neither LSASS of Windows nor Samba has it when a password changes.
   */
  readonly reportsCurrent: boolean;
  /** What `act` can do. A server of this kind may support less; it is then `not_supported` for its accounts. */
  readonly actions: readonly AccountAction[];
}

export interface ConnectorTools {
  /** Resolves `${file:…}` or `${env:…}`. Call it at each use, so that a rotated credential is picked up. */
  readonly resolve: (reference: string) => Secret;
  /** Milliseconds for which a refused service secret is not tried again. Default: see `service-logins.ts`. */
  readonly refusedForMs?: number;
  /** The folder below which the `command` kind may run programs. Without it, the kind runs none. */
  readonly commandDir?: string;
  /** The messages to the adapter of the source, for the `pull` kind. */
  readonly mailbox?: Mailbox;
}

/**
 * Identifies an account in its source. `name` is its name there, such as a DN or a login. `nativeId` is an id that
 * survives a rename, or null where the source has none or Lockstep has not learnt it yet.
 */
export interface AccountRef {
  readonly name: string;
  readonly nativeId: string | null;
}

export interface FoundAccount extends AccountRef {
  /** All values of each attribute that the settings name, the first one first. Correlation and new identities use them. */
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

/** Why an account is never written: the link names no account that agrees with it, or the account of Lockstep itself. */
export const accountProblems = notedProblems;
export type AccountProblem = NotedProblem;

/** The request failed for a reason that has nothing to do with the password. */
export interface SourceFailure {
  readonly result: 'failed';
  readonly reason: CodeOf<'offline' | 'unknown'> | 'no_rights' | 'not_supported' | AccountProblem;
  /** Code of the vendor, for operators: never text of the vendor. Null where there is none. */
  readonly vendorCode: string | null;
  /** Milliseconds that the source asks Lockstep to wait. */
  readonly retryAfterMs?: number;
}

export interface FindRequest {
  /** Wanted value by attribute name. An account must match all of them. */
  readonly match: Readonly<Record<string, string>>;
  /** Maximum number of accounts in the answer. */
  readonly limit: number;
}
export type FindAnswer =
  | { readonly result: 'found'; readonly accounts: readonly FoundAccount[] }
  | SourceFailure;

export interface ListRequest {
  /** Null for the first page, then the cursor of the page before. */
  readonly cursor: string | null;
  /** Maximum number of accounts in the page. */
  readonly pageSize: number;
}
export type ListAnswer =
  | {
      readonly result: 'page';
      readonly accounts: readonly FoundAccount[];
      /** Cursor of the next page. Null after the last page. */
      readonly cursor: string | null;
      /** The id, or the position in the page, of each account that is left out because it cannot be read. */
      readonly malformed?: readonly string[];
    }
  | SourceFailure;

export interface StateRequest {
  readonly account: AccountRef;
}
export type StateAnswer =
  | {
      readonly result: 'state';
      /** The account as the source names it now. */
      readonly account: AccountRef;
      /** An administrator has switched off the account. */
      readonly disabled: boolean;
      /** The source has locked the account, for a time or until an administrator unlocks it. */
      readonly locked: boolean;
      /** The person must change the password at the next login. */
      readonly mustChange: boolean;
      /** Time of the last password change, by the clock of the source. Null where the source does not record it. */
      readonly passwordChangedAt: Date | null;
    }
  | SourceFailure;

export type PoliciesAnswer =
  | {
      readonly result: 'policies';
      /** All policies that may bind an account. Empty where the service account may read none. */
      readonly policies: readonly TargetPolicy[];
    }
  | SourceFailure;

export type ReplicasAnswer =
  | { readonly result: 'replicas'; readonly replicas: readonly Replica[] }
  | SourceFailure;

export interface SetPasswordRequest {
  readonly account: AccountRef;
  /** The password in the form `form`. A hash must be stored unchanged, or rejected. */
  readonly password: Secret;
  readonly form: Form;
  /**
   * The stored password of the account, which it held before. Set only for an adapter with `sendOldPassword` whose
   * account has a stored one.
   */
  readonly oldPassword?: Secret;
  /** 16 bytes that salt a hash made by the connector. They are the same in each attempt, so each writes the same hash. */
  readonly salt: Buffer;
  /** The write, for a source that must recognize its next attempt. Always present in a change. */
  readonly of?: WriteOf;
}

export type WriteAnswer =
  | {
      readonly result: 'applied' | 'already_current';
      /**
       * The account as the source names it now, if the connector has read it. Lockstep learns from it the native id and a
       * new name.
       */
      readonly account?: AccountRef;
      /**
       * What keeps the person from signing in, if the connector has seen the state of the account: null if nothing does.
       */
      readonly signInPrevented?: SignInObstacle | null;
    }
  | {
      readonly result: 'rejected';
      readonly reason: CodeOf<'rejected'>;
      readonly vendorCode: string | null;
      /**
       * For a source that never repeats a write: whether one of its attempts may have been written. Absent elsewhere;
       * then an attempt that is in doubt is verified.
       */
      readonly doubt?: 'none' | 'stays';
    }
  /** The password was certainly not written; the same request may succeed later. */
  | {
      readonly result: 'retry';
      readonly reason: CodeOf<'offline' | 'unknown'>;
      readonly vendorCode: string | null;
      readonly retryAfterMs?: number;
    }
  /** The request may have reached the source, and no reply came back. The reason is `in_doubt` unless one is given. */
  | {
      readonly result: 'ambiguous';
      readonly vendorCode: string | null;
      readonly reason?: CodeOf<'offline'>;
    };

export interface VerifyRequest {
  readonly account: AccountRef;
  /** The password in the form `form`. A hash cannot log in, so it is compared with the stored one where possible. */
  readonly password: Secret;
  readonly form: Form;
  /**
   * The account as the answer to a write named it, for a verification that follows this write at once. The connector then
   * need not read again which account the link means. In the milliseconds between the two, the account may get another
   * name, and another account its name.
   */
  readonly written?: AccountRef;
}
export type VerifyAnswer =
  /** The account holds this password, even if something else keeps it from logging in. */
  | {
      readonly result: 'holds';
      readonly proof: 'login' | 'hash';
      /** What keeps the person from signing in, if the login or a read has shown it: null if nothing does. */
      readonly signInPrevented?: SignInObstacle | null;
    }
  /** The account holds another password, or none. */
  | { readonly result: 'differs'; readonly vendorCode: string | null }
  /** The source gave no answer about the password, for example because the account is locked or disabled. */
  | {
      readonly result: 'inconclusive';
      readonly reason:
        | CodeOf<'offline' | 'unknown'>
        | 'account_disabled'
        | 'no_rights'
        | 'not_supported'
        | AccountProblem;
      readonly vendorCode: string | null;
    };

export interface ActRequest {
  readonly account: AccountRef;
  readonly action: AccountAction;
}
export type ActAnswer =
  | {
      /** `already`: there was nothing to do, and nothing was changed. */
      readonly result: 'done' | 'already';
      /** The account as the source names it now. */
      readonly account: AccountRef;
    }
  /** A request without a reply is a failure, too, because a repeat is harmless. */
  | {
      readonly result: 'failed';
      readonly reason: CodeOf<'offline' | 'unknown' | 'rejected'>;
      /** Code of the vendor, for operators: never text of the vendor. Null where there is none. */
      readonly vendorCode: string | null;
      readonly retryAfterMs?: number;
    };

/** One result of `lockstep doctor`. */
export interface Finding {
  /** Stable name of the check, such as `tls`, `service-login`, `rights`, `policy`. */
  readonly check: string;
  readonly verdict: 'ok' | 'warning' | 'wrong' | 'skipped';
  /** A sentence with the result of the check and, unless it is `ok`, what the operator should do. */
  readonly says: string;
}
