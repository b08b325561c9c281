import type { Control, Entry } from 'ldapts';
import type { Replica } from '../../model/captures/replica';
import type { Secret } from '../../model/passwords/secret';
import type { TargetPolicy } from '../../model/policy/target-policy';
import type {
  AccountRef,
  Finding,
  SetPasswordRequest,
  StateAnswer,
  VerifyAnswer,
  VerifyRequest,
  WriteAnswer,
} from '../contract';
import type { Located, NativeIds } from './accounts';
import type { Link, Reply } from './link';

export type AccountState = Omit<Extract<StateAnswer, { result: 'state' }>, 'result'>;

/** Lends a link of the service account. Throws `NotSent`, and whatever `body` throws. */
export type Use = <T>(body: (link: Link) => Promise<T>) => Promise<T>;

/** How a server tells the state of an account. */
export interface View {
  readonly attributes: readonly string[];
  readonly controls: () => Control[];
  readonly accountStateOf: (entry: Entry, controls: readonly Control[]) => AccountState;
}

/** What differs between kinds of directories. */
export interface Dialect {
  readonly ids: NativeIds;
  /** As the server at the other end tells it. */
  readonly view: (link: Link) => Promise<View>;
  /** A refused login of a disabled or locked account says whether the password was right. */
  readonly loginTellsWhy: boolean;
  /** Finds it out without a login, on a link of the service account; null where that cannot be. */
  readonly verify?: (link: Link, dn: string, password: Secret) => Promise<VerifyAnswer | null>;
  /** One login. */
  readonly logIn: (link: Link, dn: string, password: Secret) => Promise<VerifyAnswer>;
  /** Whether the account holds this very hash; only where hashes are taken. */
  readonly compareHash?: (link: Link, request: VerifyRequest) => Promise<VerifyAnswer>;
  /** `NotSent` and `NoReply` leave it only while the password has not been sent. */
  readonly setPassword: (use: Use, request: SetPasswordRequest) => Promise<WriteAnswer>;
  /** What `doctor` wants to know once the service account is in. */
  readonly check: (link: Link) => Promise<readonly Finding[]>;
  readonly policies: (link: Link) => Promise<Reply<readonly TargetPolicy[]>>;
  readonly replicas: (link: Link) => Promise<Reply<readonly Replica[]>>;
}

export interface Seen extends Located {
  readonly standing: AccountState;
}

export type See = (link: Link, account: AccountRef) => Promise<Reply<Seen | null>>;
