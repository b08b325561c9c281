import type { Socket } from 'node:net';
import type { AccountRef } from '../../../connectors/contract';
import type { TrialAccount } from '../../../connectors/trial/cases';
import type { Reason } from '../../../model/errors';
import type { Scheme } from '../../../model/hashes/encoding';
import type { Address } from '../../support/proxy';

export type Settings = Readonly<Record<string, unknown>>;

export type TestAccount = TrialAccount;

/** A password that the policy of the source refuses. */
export interface Refusal {
  readonly title: string;
  /** Not a part of any word that an answer may hold: answers are searched for it. */
  readonly password: string;
  readonly reason: Reason;
  /** An account under the policy that refuses; a usual one otherwise. */
  readonly account?: () => Promise<TestAccount>;
  /** Passwords that the account gets first, in this order. */
  readonly after?: readonly string[];
}

/**
 * One kind of source with its real server, as the suite needs it. Everything here but the settings goes to the server by a
 * way of its own (its administrator, its command line), so that the connector is never its own witness. What needs the
 * server is asked for only while a test runs, so getters may read `server(…)`.
 *
 * A hook that a source cannot offer is left out, and `skips` says why for each promise that needs it.
 */
export interface Subject {
  /** As the test titles call it: `ldap on OpenLDAP`. */
  readonly title: string;
  /** As `connectors/registry.ts` calls it. */
  readonly kind: string;
  readonly server: Address;
  /** Complete and right, for the server or a proxy in front of it. Secrets are references. */
  readonly settings: (at: Address) => Settings;
  /** What the references stand for: `{ '${file:service}': 'secret' }`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The folder whose programs the connector may run. */
  readonly commandDir?: string;
  /** What the server and a client say before TLS begins, where the protocol has that; for an impostor. */
  readonly beforeTls?: (socket: Socket) => Promise<void>;
  /** Changes to the settings that make calls give up after about half a second. */
  readonly hasty: Settings;
  /** Changes to the settings, each of which makes one thing wrong. */
  readonly wrong: {
    readonly authority: Settings;
    readonly hostName: Settings;
    readonly servicePassword: Settings;
    /** A service account that may read, but not set passwords. */
    readonly rights: Settings;
    /** Settings for a connection without TLS. */
    readonly plaintext: Settings;
  };
  /** Promise title to the reason why it is not tested here; the reason is part of the title then. */
  readonly skips: Readonly<Record<string, string>>;

  /** A fresh account with a password that its policy takes and nobody else has. */
  readonly account: () => Promise<TestAccount>;
  /** An account that does not exist, whose name holds `text`. */
  readonly absent: (text: string) => AccountRef;
  /** The attribute for `find`. */
  readonly findBy: string;
  /** Whether a login on a way that is not ours takes the password. */
  readonly logsIn: (account: TestAccount, password: string) => Promise<boolean>;
  /** Everything the server keeps about the account. */
  readonly entry: (account: TestAccount) => Promise<Readonly<Record<string, unknown>>>;
  /** The parts of `entry` that a password change is: the hash, its date, its history. */
  readonly mayChange: readonly string[];
  /** Passwords with lengths or characters that the source does not take, by the title of their test. */
  readonly refusals: readonly Refusal[];

  /** What of `entry` the source keeps of a password. Needed where hashes are written. */
  readonly stored?: (entry: Readonly<Record<string, unknown>>) => unknown;
  /** Hashes that the server stores as they are and checks logins against. */
  readonly hashes?: {
    readonly schemes: readonly Scheme[];
    /** Changes to the settings under which it takes this one. */
    readonly settings: (scheme: Scheme) => Settings;
    /** It can be seen which one is stored. */
    readonly provable: boolean;
    /** An account that may get one; a usual one otherwise. */
    readonly account?: () => Promise<TestAccount>;
  };

  readonly disable?: (account: TestAccount) => Promise<void>;
  readonly lock?: (account: TestAccount) => Promise<void>;
  readonly requireChange?: (account: TestAccount) => Promise<void>;
  /** The account gets another name that the source keeps `nativeId` across. */
  readonly rename?: (account: TestAccount) => Promise<TestAccount>;
  /** What `verify` can find out about the right password of such an account. */
  readonly provable: Readonly<Record<'disabled' | 'locked', 'holds' | 'inconclusive'>>;
  /** Failed logins that the server counted for the account. */
  readonly failedLogins?: (account: TestAccount) => Promise<number>;
}
