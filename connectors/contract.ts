import type { z } from 'zod';
import type { Replica } from '../model/captures/replica';
import type { CodeOf } from '../model/errors';
import type { Form } from '../model/hashes/encoding';
import type { Secret } from '../model/passwords/secret';
import type { TargetPolicy } from '../model/policy/target-policy';

/** After this time no request of a call is on its way any more, whatever happens. The lease of an account is longer. */
export const HARD_DEADLINE_MS = 20_000;

/**
 * The contract between Lockstep and one kind of source. A connector is a file (or folder), a line in `registry.ts` and a
 * run of the conformance suite in `test/connectors/conformance.ts`.
 *
 * What every connector promises:
 * - **Vendor errors end here.** Each answer below is data, translated by a table from the vendor's codes. A method
 *   throws only when the connector itself is wrong. Vendor text is dropped: it may echo a password.
 * - **In doubt is said.** When a request may have reached the source and its answer did not come back, the answer is
 *   `ambiguous`, never `retry`.
 * - **A write changes nothing but the password.** It does not unlock, enable or expire the account.
 * - **TLS or nothing**; certificates and host names are checked; a connection is never used again after an error;
 *   every call ends within `HARD_DEADLINE_MS`, and nothing is sent for it afterwards.
 * - **Secrets are borrowed.** The caller owns and destroys them; a connector zeroes every buffer it made.
 */
export interface Connector {
  /** Accounts whose attributes equal `match`, for correlation. At most `limit` are returned. */
  find(request: FindRequest): Promise<FindAnswer>;
  /** One page of all accounts, for a refresh. */
  list(request: ListRequest): Promise<ListAnswer>;
  /** What the source says of the account, without changing it and without a login. */
  state(request: StateRequest): Promise<StateAnswer>;
  /**
   * Makes `password` the password of the account. Asked again with the same value it ends the same way: where a
   * history rule would refuse the repeat, the answer is `already_current` if the source tells it apart. Asked only for
   * forms that the source takes (`registry.ts` sees to it).
   */
  setPassword(request: SetPasswordRequest): Promise<WriteAnswer>;
  /**
   * Whether the account holds `password`, found out with at most one login. Never called for an account on which
   * a wrong guess could do harm unless Lockstep has just written it, or is asked to validate the current password.
   */
  verify(request: VerifyRequest): Promise<VerifyAnswer>;
  /** For `lockstep doctor`: each thing that must be right, in order; it stops where going on makes no sense. */
  check(): Promise<readonly Finding[]>;
  /** What the source asks of the passwords that Lockstep writes; only where it tells. */
  policies?(): Promise<PoliciesAnswer>;
  /** The servers on which its passwords may be changed; only where it tells. */
  replicas?(): Promise<ReplicasAnswer>;
  /** Closes every connection. The connector is not used afterwards. */
  close(): Promise<void>;
}

/** A line of the registry. It loads no driver: the api reads it too, and must not load one. */
export interface ConnectorKind<Settings> {
  readonly kind: string;
  readonly title: string;
  /** Strict, every field described; the configuration reference is generated from it. */
  readonly settings: z.ZodType<Settings>;
  /** Fields that hold a secret: the configuration takes only `${file:…}` or `${env:…}` for them. */
  readonly secretSettings: readonly (keyof Settings & string)[];
  readonly traits: Traits;
  /** What the settings of one source say of its traits, where the kind alone does not tell, or takes more than the source. */
  readonly declared?: (settings: Settings) => Partial<Traits>;
  /** What must be so in the source, a sentence each, for docs/connectors.md. */
  readonly needs: readonly string[];
  /** Opens lazily: no I/O before the first request. */
  readonly open: (settings: Settings, tools: ConnectorTools) => Promise<Connector>;
}

export interface Traits {
  /**
   * How a password can be proved. `login` does no harm when it succeeds; `hash` reads the stored hash back and
   * compares it; `none` means that success has to be believed.
   */
  readonly proof: 'login' | 'hash' | 'none';
  /** A repeated write of the same value is harmless to the account, whatever its history rules. */
  readonly repeatable: boolean;
  /** The forms in which a password can be handed to the source. What it does not take in plaintext, it gets hashed. */
  readonly accepts: readonly Form[];
  /** What the source, or an agent beside it, can ever tell of a password that was changed there. */
  readonly yields: readonly ('plaintext' | 'hash')[];
}

export interface ConnectorTools {
  /** Resolves `${file:…}` and `${env:…}`, at each use, so that a rotated credential is picked up. */
  readonly resolve: (reference: string) => Secret;
  /** How long a secret that was refused is not tried again; without it, until who was on their way are done. */
  readonly refusedForMs?: number;
  /** The folder whose programs sources may run; without it, none. */
  readonly commandDir?: string;
}

/** Where an account is: `name` is how the source calls it; `nativeId` survives a rename, where there is one. */
export interface AccountRef {
  readonly name: string;
  readonly nativeId: string | null;
}

export interface FoundAccount extends AccountRef {
  /** Whatever the settings name as attributes, for correlation and for new identities. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A failure that says nothing about the password. */
export interface SourceFailure {
  readonly result: 'failed';
  readonly reason: CodeOf<'offline' | 'unknown'> | 'no_rights' | 'not_supported' | 'no_account';
  readonly vendorCode: string | null;
  readonly retryAfterMs?: number;
}

export interface FindRequest {
  /** Attribute name to wanted value; all must match exactly. */
  readonly match: Readonly<Record<string, string>>;
  readonly limit: number;
}
export type FindAnswer =
  | { readonly result: 'found'; readonly accounts: readonly FoundAccount[] }
  | SourceFailure;

export interface ListRequest {
  /** Null for the first page, then what the last page gave. */
  readonly cursor: string | null;
  readonly pageSize: number;
}
export type ListAnswer =
  | {
      readonly result: 'page';
      readonly accounts: readonly FoundAccount[];
      /** Null after the last page. */
      readonly cursor: string | null;
    }
  | SourceFailure;

export interface StateRequest {
  readonly account: AccountRef;
}
export type StateAnswer =
  | {
      readonly result: 'state';
      /** An administrator has switched the account off. */
      readonly disabled: boolean;
      /** The source has locked it, for a while or until someone unlocks it. */
      readonly locked: boolean;
      /** The next login must change the password. */
      readonly mustChange: boolean;
      /** When the password was last changed, as the source tells it. */
      readonly passwordChangedAt: Date | null;
    }
  | SourceFailure;

export type PoliciesAnswer =
  | {
      readonly result: 'policies';
      /** Every one that may bind some account; none where the service account sees none. */
      readonly policies: readonly TargetPolicy[];
    }
  | SourceFailure;

export type ReplicasAnswer =
  | { readonly result: 'replicas'; readonly replicas: readonly Replica[] }
  | SourceFailure;

export interface SetPasswordRequest {
  readonly account: AccountRef;
  /** Of the form `form`: what is a hash already is stored as it is, or not at all. */
  readonly password: Secret;
  readonly form: Form;
  /** 16 bytes for a hash that is made here: the same in each attempt, so that each writes the same. */
  readonly salt: Buffer;
}
export type WriteAnswer =
  | {
      readonly result: 'applied' | 'already_current';
      /** The account was found under another name than asked for. */
      readonly movedTo?: string;
    }
  | {
      readonly result: 'rejected';
      readonly reason: CodeOf<'rejected'>;
      readonly vendorCode: string | null;
    }
  | {
      readonly result: 'retry';
      readonly reason: CodeOf<'offline' | 'unknown'>;
      readonly vendorCode: string | null;
      readonly retryAfterMs?: number;
    }
  | { readonly result: 'ambiguous'; readonly vendorCode: string | null };

export interface VerifyRequest {
  readonly account: AccountRef;
  /** Of the form `form`: nobody can log in with a hash, so it is compared with what is stored, where that can be done. */
  readonly password: Secret;
  readonly form: Form;
}
export type VerifyAnswer =
  /** The account holds this password, even where something else keeps it from logging in. */
  | { readonly result: 'holds'; readonly proof: 'login' | 'hash' }
  | { readonly result: 'differs'; readonly vendorCode: string | null }
  /** Nothing is known: the account is locked or disabled, or the source cannot be asked. */
  | {
      readonly result: 'inconclusive';
      readonly reason:
        | CodeOf<'offline' | 'unknown'>
        | 'account_disabled'
        | 'no_rights'
        | 'not_supported'
        | 'no_account';
      readonly vendorCode: string | null;
    };

/** One line of `lockstep doctor`. */
export interface Finding {
  /** A stable name, such as `tls`, `service-login`, `rights`, `policy`. */
  readonly check: string;
  readonly verdict: 'ok' | 'warning' | 'wrong' | 'skipped';
  /** What was seen, and what to do when it is not right. */
  readonly says: string;
}
