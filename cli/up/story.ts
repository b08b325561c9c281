import { HERO } from '../../local/demo/company';
import { randomPassword } from '../../local/demo/directories';
import { type DemoAccount, giveOldPassword, heroAccounts } from '../../local/demo/logins';
import type { DemoSystems } from '../../local/demo/systems';
import type { OutcomeState } from '../../model/change/outcome';
import type { Secret } from '../../model/passwords/secret';
import type { Api } from '../http/api';
import { ApiProblem } from '../http/refusals';
import type { Change } from '../http/shapes';
import { jsonBody } from '../password/json-body';
import { readLines } from '../password/lines';

/** What the demo shows: one change, and for each account whether real logins agree with what Lockstep says. */
export interface DemoResult {
  readonly ok: boolean;
  readonly change: Change;
  readonly accounts: readonly ProvedAccount[];
  readonly tookMs: number;
}

export interface ProvedAccount {
  readonly source: string;
  readonly account: string;
  readonly outcome: OutcomeState;
  /** Real logins that have nothing to do with Lockstep. */
  readonly newAccepted: boolean;
  readonly oldRefused: boolean;
}

const WAIT_SECONDS = 60;

/**
 * Gives the accounts of one person an old password as their administrators would, changes it through Lockstep, and tries
 * both at every account.
 * @param next destroyed by this
 */
export async function runDemo(api: Api, systems: DemoSystems, next: Secret): Promise<DemoResult> {
  const old = randomPassword();
  try {
    await giveOldPassword(systems, old);
    const began = performance.now();
    const change = await requestChange(api, next);
    const tookMs = Math.round(performance.now() - began);
    const accounts = await Promise.all(
      heroAccounts(systems).map((account) => prove(account, change, old, next)),
    );
    const proved = accounts.every((account) => account.newAccepted && account.oldRefused);
    return { ok: proved && change.state === 'done', change, accounts, tookMs };
  } finally {
    next.destroy();
    old.destroy();
  }
}

/** @param file null for a random one */
export async function newPassword(file: string | null): Promise<Secret> {
  if (file === null) return randomPassword();
  const [password] = await readLines(file, ['password']);
  return password as Secret;
}

async function requestChange(api: Api, password: Secret): Promise<Change> {
  const body = jsonBody({ identity: HERO, password });
  try {
    return await api.send<Change>('POST', ['changes'], { body, waitSeconds: WAIT_SECONDS });
  } catch (error) {
    if (error instanceof ApiProblem && error.problem.change !== undefined)
      return error.problem.change;
    throw error;
  } finally {
    body.destroy();
  }
}

async function prove(
  account: DemoAccount,
  change: Change,
  old: Secret,
  next: Secret,
): Promise<ProvedAccount> {
  const told = change.accounts.find(
    (one) => one.source === account.source && one.account === account.name,
  );
  return {
    source: account.source,
    account: account.name,
    outcome: told?.outcome ?? 'not_applicable',
    newAccepted: await account.login(next),
    oldRefused: !(await account.login(old)),
  };
}
