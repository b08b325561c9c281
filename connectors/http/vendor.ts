import type { AccountAction } from '../../model/people/account-actions';
import type {
  ActAnswer,
  Finding,
  FoundAccount,
  PoliciesAnswer,
  SetPasswordRequest,
  StateAnswer,
  VerifyAnswer,
  VerifyRequest,
  WriteAnswer,
} from '../contract';
import type { Api } from './api';
import type { Users } from './linked-user';
import type { PreparedWrite } from './write';

/**
 * What differs between the APIs. Its methods may throw `NotSent`, `NoReply` or `HttpRefused`, which `connectorOver`
 * translates.
 */
export interface Vendor<User> extends Users<User> {
  readonly api: Api;
  /** Names of the attributes by which `find` can search. */
  readonly attributes: readonly string[];
  find(
    match: Readonly<Record<string, string>>,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly FoundAccount[]>;
  page(cursor: string | null, pageSize: number, signal: AbortSignal): Promise<Page>;
  /** Reads the state of a user. */
  state(user: User, signal: AbortSignal): State | Promise<State>;
  /** Reads what else must be known of the user before a write. If it returns an answer, nothing is written. */
  prepare(
    user: User,
    request: SetPasswordRequest,
    signal: AbortSignal,
  ): PreparedWrite<User> | WriteAnswer | Promise<PreparedWrite<User> | WriteAnswer>;
  /** The write to the user with this id, for an API by which nothing must be known of the user before. */
  readonly prepareById?: (id: string) => PreparedWrite<User>;
  /** How each action is carried out, for a user of whom it is not in force yet. Missing where the API has none. */
  readonly actions?: Readonly<Partial<Record<AccountAction, Act<User>>>>;
  /** Verifies a password. Null if the vendor offers no way to do that. */
  readonly verify:
    | ((user: User, request: VerifyRequest, signal: AbortSignal) => Promise<VerifyAnswer>)
    | null;
  /** Returns further findings of `lockstep doctor`, after those about the sign-in and the rights. */
  check(signal: AbortSignal): Promise<readonly Finding[]>;
  /** A write to an account that does not exist. Its refusal shows whether the service account has the right to write. */
  writeToNoAccount(): PreparedWrite<User>;
  readonly policies?: (signal: AbortSignal) => Promise<PoliciesAnswer>;
  close(): void;
}

/** Carries out an action. @returns why it cannot be done for this user; null if it was done */
export type Act<User> = (user: User, signal: AbortSignal) => Promise<ActFailure | null>;

export type ActFailure = Extract<ActAnswer, { result: 'failed' }>;

export interface Page {
  readonly accounts: readonly FoundAccount[];
  /** The id or the position of each account of the page that cannot be read. */
  readonly malformed: readonly string[];
  readonly cursor: string | null;
}

export type State = Omit<Extract<StateAnswer, { result: 'state' }>, 'result' | 'account'>;
