import type { Socket } from 'node:net';
import type { AccountRef } from '../../../connectors/contract';
import type { Mailbox, WriteOf } from '../../../connectors/mailbox';
import type { TrialAccount } from '../../../connectors/trial/cases';
import type { Reason } from '../../../model/errors';
import type { Scheme } from '../../../model/hashes/encoding';
import type { AccountAction } from '../../../model/people/account-actions';
import type { Address } from '../../support/proxy';
import type { Mishap } from '../../support/vendors/vendor';
import type { Recorder } from '../recorders';

export type Settings = Readonly<Record<string, unknown>>;

export type TestAccount = TrialAccount;

/** A password that the source must reject. */
export interface Refusal {
  /** Subject of the test title, such as `a password that is too short`. */
  readonly title: string;
  /** Must not be part of any word in an answer, because answers are searched for it. */
  readonly password: string;
  readonly reason: Reason;
  /** Creates an account under the policy that rejects the password. Default: `account` of the subject. */
  readonly account?: () => Promise<TestAccount>;
  /** Passwords to write to the account before, in this order. */
  readonly after?: readonly string[];
}

/**
 * One kind of source with its real server. All members except the settings use the server without the connector (as its
 * administrator, or by its command line), so that the connector is never its own witness. Members that need the server
 * are read only while a test runs, so getters may call `server(…)`.
 *
 * A hook that a source cannot offer is missing, and `skips` gives the reason for each promise that needs it.
 */
export interface Subject {
  /** Name in test titles, such as `ldap on OpenLDAP`. */
  readonly title: string;
  /** Name of the kind in `connectors/registry.ts`. */
  readonly kind: string;
  readonly server: Address;
  /** Complete, correct settings for the server or a proxy in front of it. Secrets are references. */
  readonly settings: (at: Address) => Settings;
  /** Values of the references, such as `{ '${file:service}': 'secret' }`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The folder whose programs the connector may run. */
  readonly commandDir?: string;
  /** The messages to the adapter, for the kind `pull`. */
  readonly mailbox?: Mailbox;
  /** Stores what the worker has stored before a write to the account. */
  readonly writeOf?: (account: AccountRef) => Promise<WriteOf>;
  /** Plays the server's part of the protocol before TLS begins. Missing where TLS begins with the first byte. */
  readonly beforeTls?: (socket: Socket) => Promise<void>;
  /** Changes to the settings that end each step after about half a second. */
  readonly hasty: Settings;
  /** Changes to the settings, each of which makes a single thing wrong. */
  readonly wrong: {
    readonly authority: Settings;
    readonly hostName: Settings;
    readonly servicePassword: Settings;
    /** A service account that may read accounts, but may not set passwords. */
    readonly rights: Settings;
    /** A connection without TLS. */
    readonly plaintext: Settings;
  };
  /** Reasons why a promise is not tested on this source, by the title of the promise. */
  readonly skips: Readonly<Record<string, string>>;

  /** Creates an account with a unique password that its policy accepts. */
  readonly account: () => Promise<TestAccount>;
  /** Returns an account that does not exist, with `text` in its name. */
  readonly absent: (text: string) => AccountRef;
  /** The attribute by which `find` searches. */
  readonly findBy: string;
  /** Whether a login with the password succeeds, by another client than ours. */
  readonly logsIn: (account: TestAccount, password: string) => Promise<boolean>;
  /** Reads everything that the server keeps about the account. */
  readonly entry: (account: TestAccount) => Promise<Readonly<Record<string, unknown>>>;
  /** The members of `entry` that a password change may alter: the hash, its date, its history. */
  readonly mayChange: readonly string[];
  /** Passwords that the source rejects. */
  readonly refusals: readonly Refusal[];

  /** Returns the stored form of the password in `entry`. Required where hashes are written. */
  readonly stored?: (entry: Readonly<Record<string, unknown>>) => unknown;
  /** Hashes that the server stores unchanged and can check logins against. */
  readonly hashes?: {
    readonly schemes: readonly Scheme[];
    /** Changes to the settings under which the source accepts the scheme. */
    readonly settings: (scheme: Scheme) => Settings;
    /** Whether `verify` can compare a hash with the stored one. */
    readonly provable: boolean;
    /** Creates an account that may get a hash. Default: `account` of the subject. */
    readonly account?: () => Promise<TestAccount>;
  };

  /** Present for the kinds that use HTTP. */
  readonly http?: {
    /** Passes every answer of the server through `change` from now on. Null ends it. */
    readonly answering: (change: Mishap | null) => void;
    /** Whether the vendor documents an empty 204 as the success of a write. */
    readonly emptyIsSuccess: boolean;
    /** Whether the newest request is a look-up that not every server of this vendor offers. */
    readonly isOptional?: () => boolean;
    /**
     * Changes a document about one user into that of another user. Null for any other document. Missing where no
     * document names its user.
     */
    readonly ofAnother?: (document: Readonly<Record<string, unknown>>) => object | null;
  };

  /** What `act` can do on this server, with the members of `entry` that each action may alter. */
  readonly acts?: Readonly<Partial<Record<AccountAction, readonly string[]>>>;
  /** Creates an account on which the server carries out every action. Default: `account` of the subject. */
  readonly actable?: () => Promise<TestAccount>;
  /** Whether the person must change the password. Default: what `state` answers. */
  readonly mustChange?: (account: TestAccount) => Promise<boolean>;

  readonly disable?: (account: TestAccount) => Promise<void>;
  readonly lock?: (account: TestAccount) => Promise<void>;
  readonly requireChange?: (account: TestAccount) => Promise<void>;
  /** Renames the account. Its `nativeId` stays the same. */
  readonly rename?: (account: TestAccount) => Promise<TestAccount>;
  readonly remove?: (account: TestAccount) => Promise<void>;
  /** Creates an account with this name. No account may have it. */
  readonly create?: (name: string) => Promise<TestAccount>;
  /** Removes the account, and creates another one with its id and another name. */
  readonly giveId?: (account: TestAccount) => Promise<TestAccount>;
  /** Other spellings of a name by which the source finds the same account. */
  readonly spellings?: (name: string) => readonly string[];
  /**
   * The account with which the connector signs in, as a target. Its key is empty if `find` cannot search for it.
   * `settings` are changes with which the connector can see it.
   */
  readonly ownAccount?: () => Promise<{
    readonly account: TestAccount;
    readonly settings?: Settings;
  }>;
  /** Creates an account that the connector cannot read. `shown` is part of what the list calls it. */
  readonly unreadable?: () => Promise<{
    readonly shown: string;
    readonly remove: () => Promise<void>;
  }>;
  /** The answer of `verify` for the right password of a disabled or locked account. */
  readonly provable: Readonly<Record<'disabled' | 'locked', 'holds' | 'inconclusive'>>;
  /** The requests of one change of a known account, and how they are recorded. */
  readonly proved?: { readonly requests: readonly string[]; readonly record: Recorder };
  /** Returns the number of failed logins that the server has counted for the account. */
  readonly failedLogins?: (account: TestAccount) => Promise<number>;
}

/** Builds the `skips` of several promises that have the same reason. */
export const because = (reason: string, titles: readonly string[]): Record<string, string> =>
  Object.fromEntries(titles.map((title) => [title, reason]));
