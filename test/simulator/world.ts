import type { Connector, VerifyAnswer, WriteAnswer } from '../../connectors/contract';
import type { Secret } from '../../model/passwords/secret';
import type { Scheduler } from './scheduler';

/** In-memory sources that behave as directories do: history rules, lockout, outages, hangs and lost replies. */

/**
 * - `away`: refuses the connection.
 * - `hangs`: takes the request, does nothing, and does not answer.
 * - `loses`: does what it was asked, but the reply is lost.
 */
export type Mood = 'works' | 'away' | 'hangs' | 'loses';

export interface SimulatedAccount {
  password: string;
  /** Newest first, the current one included. */
  history: string[];
  locked: boolean;
  failures: number;
  changedAt: number;
  /** The person changed it in the source, after the last write through the connector. */
  native: boolean;
}

export interface SimulatedSource {
  readonly name: string;
  mood: Mood;
  readonly account: SimulatedAccount;
  readonly connector: Connector;
}

export interface Write {
  readonly source: string;
  readonly at: number;
  readonly password: string;
  readonly result: 'written' | 'current' | 'history' | 'refused';
  /** The password that the account held before. */
  readonly over: string;
}

export interface World {
  readonly sources: ReadonlyMap<string, SimulatedSource>;
  readonly writes: Write[];
  /** Logins of ours that the source refused, by source. */
  readonly failedLogins: Map<string, number>;
  /** The person changes the password in the source itself. @returns false when a rule of the source refuses it */
  changeThere(source: string, password: string): boolean;
}

/** A fault of a connector that a test plants. */
export type WorldFault = 'reports no time' | 'logs in three times';

interface SourceRules {
  /** How many of the last passwords are refused. */
  readonly history: number;
  /** The source reports a repeat of the current password as such. */
  readonly tellsCurrent: boolean;
  readonly lockAfter: number;
  /** A rule for new passwords, apart from the history. */
  readonly refuses: (password: string) => boolean;
}

const REQUEST_TIMEOUT_MS = 10_000;

export function createWorld(
  scheduler: Scheduler,
  initial: string,
  rules: Readonly<Record<string, SourceRules>>,
  fault: WorldFault | null = null,
): World {
  const writes: Write[] = [];
  const failedLogins = new Map<string, number>();
  const sources = new Map(
    Object.entries(rules).map(([name, rule]) => [name, createSource(name, rule)]),
  );

  function createSource(name: string, rule: SourceRules): SimulatedSource {
    const account: SimulatedAccount = {
      password: initial,
      history: [initial],
      locked: false,
      failures: 0,
      changedAt: scheduler.now(),
      native: false,
    };
    const source: SimulatedSource = {
      name,
      mood: 'works',
      account,
      connector: connectorOf(() => source, rule),
    };
    return source;
  }

  function write(source: SimulatedSource, rule: SourceRules, password: string): WriteAnswer {
    const { account } = source;
    const over = account.password;
    const note = (result: Write['result']) =>
      writes.push({ source: source.name, at: scheduler.now(), password, result, over });
    if (rule.tellsCurrent && account.password === password) {
      note('current');
      return { result: 'already_current' };
    }
    if (rule.refuses(password)) {
      note('refused');
      return { result: 'rejected', reason: 'policy_quality', vendorCode: null };
    }
    if (account.history.slice(0, rule.history).includes(password)) {
      note('history');
      return { result: 'rejected', reason: 'policy_history', vendorCode: null };
    }
    note('written');
    set(account, password, false);
    return { result: 'applied' };
  }

  function set(account: SimulatedAccount, password: string, native: boolean): void {
    account.password = password;
    account.history = [password, ...account.history];
    account.changedAt = scheduler.now();
    account.failures = 0;
    account.native = native;
  }

  function login(source: SimulatedSource, rule: SourceRules, password: string): VerifyAnswer {
    const { account } = source;
    if (account.locked)
      return { result: 'inconclusive', reason: 'account_locked', vendorCode: null };
    if (account.password === password) {
      account.failures = 0;
      return { result: 'holds', proof: 'login' };
    }
    account.failures++;
    failedLogins.set(source.name, (failedLogins.get(source.name) ?? 0) + 1);
    if (account.failures >= rule.lockAfter) account.locked = true;
    return { result: 'differs', vendorCode: null };
  }

  function connectorOf(source: () => SimulatedSource, rule: SourceRules): Connector {
    const away = { reason: 'unreachable', vendorCode: null } as const;
    const plain = (secret: Secret) => secret.text();
    return {
      async setPassword({ password }) {
        const wanted = plain(password);
        await scheduler.gate();
        const { mood } = source();
        if (mood === 'away') return { result: 'retry', ...away };
        if (mood === 'hangs' || mood === 'loses') {
          if (mood === 'loses') write(source(), rule, wanted);
          await scheduler.sleep(REQUEST_TIMEOUT_MS);
          return { result: 'ambiguous', vendorCode: null };
        }
        const answer = write(source(), rule, wanted);
        await scheduler.gate();
        return answer;
      },
      async verify({ password }) {
        const asked = plain(password);
        await scheduler.gate();
        const { mood } = source();
        if (mood === 'away') return { result: 'inconclusive', ...away };
        if (mood === 'hangs' || mood === 'loses') {
          if (mood === 'loses') login(source(), rule, asked);
          await scheduler.sleep(REQUEST_TIMEOUT_MS);
          return { result: 'inconclusive', ...away };
        }
        const answer = login(source(), rule, asked);
        if (fault === 'logs in three times')
          for (let again = 0; again < 4; again++) login(source(), rule, `${asked}?`);
        await scheduler.gate();
        return answer;
      },
      async state({ account: asked }) {
        await scheduler.gate();
        const { mood, account } = source();
        if (mood !== 'works') return { result: 'failed', ...away };
        return {
          result: 'state',
          account: asked,
          disabled: false,
          locked: account.locked,
          mustChange: false,
          passwordChangedAt: fault === 'reports no time' ? null : new Date(account.changedAt),
        };
      },
      find: async () => ({ result: 'found', accounts: [] }),
      list: async () => ({ result: 'page', accounts: [], cursor: null }),
      check: async () => [],
      close: async () => {},
    };
  }

  return {
    sources,
    writes,
    failedLogins,
    changeThere(name, password) {
      const source = sources.get(name);
      const rule = rules[name];
      if (source === undefined || rule === undefined) return false;
      if (rule.refuses(password)) return false;
      if (source.account.history.slice(0, rule.history).includes(password)) return false;
      set(source.account, password, true);
      return true;
    },
  };
}
