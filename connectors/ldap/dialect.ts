import type { Control, Entry } from 'ldapts';
import type { Replica } from '../../model/captures/replica';
import type { Secret } from '../../model/passwords/secret';
import type { TargetPolicy } from '../../model/policy/target-policy';
import type {
  AccountRef,
  ActAnswer,
  ActRequest,
  Finding,
  SetPasswordRequest,
  StateAnswer,
  VerifyAnswer,
  VerifyRequest,
  WriteAnswer,
} from '../contract';
import type { Accounts, Located } from './accounts';
import type { Link, Reply } from './link';

export type AccountState = Omit<Extract<StateAnswer, { result: 'state' }>, 'result' | 'account'>;

/** Lends a link of the service account to `body`. It throws `NotSent`, and what `body` throws. */
export type Use = <T>(body: (link: Link) => Promise<T>) => Promise<T>;

/** How to read the state of an account from a server: which attributes and controls to request, and what they mean. */
export interface View {
  readonly attributes: readonly string[];
  readonly controls: () => Control[];
  readonly accountStateOf: (entry: Entry, controls: readonly Control[]) => AccountState;
}

/** What differs between LDAP directories and Active Directory. */
export interface Dialect {
  readonly accounts: Accounts;
  /** Returns the view that fits the server at the other end of the link. */
  readonly view: (link: Link) => Promise<View>;
  /** Whether a refused login of a disabled or locked account still shows whether the password was right. */
  readonly loginExplainsRefusal: boolean;
  /** Verifies a password without a login, on a link of the service account. Null if the server cannot do that. */
  readonly verify?: (link: Link, dn: string, password: Secret) => Promise<VerifyAnswer | null>;
  /** Verifies a password by one login. */
  readonly logIn: (link: Link, dn: string, password: Secret) => Promise<VerifyAnswer>;
  /** Finds out whether the account holds exactly this hash. Missing where the directory accepts no hashes. */
  readonly compareHash?: (link: Link, request: VerifyRequest) => Promise<VerifyAnswer>;
  /** Writes a password. It throws `NotSent` or `NoReply` only if the password has not been sent. */
  readonly setPassword: (use: Use, request: SetPasswordRequest) => Promise<WriteAnswer>;
  /** Unlocks an account, or forces a change, on a link of the service account. */
  readonly act: (link: Link, request: ActRequest) => Promise<ActAnswer>;
  /** Returns the findings of `lockstep doctor`, on a link of the service account. */
  readonly check: (link: Link) => AsyncIterable<Finding>;
  readonly policies: (link: Link) => Promise<Reply<readonly TargetPolicy[]>>;
  readonly replicas: (link: Link) => Promise<Reply<readonly Replica[]>>;
}

/** The account that a link means, with its state, or why it means none. */
export type LocatedState =
  | (Extract<Located, { found: true }> & { readonly state: AccountState })
  | Extract<Located, { found: false }>;

export type ReadState = (link: Link, account: AccountRef) => Promise<Reply<LocatedState>>;
