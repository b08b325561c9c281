import { HERO } from '../../local/demo/company';
import { randomPassword } from '../../local/demo/directories';
import { type DemoAccount, giveOldPassword, heroAccounts } from '../../local/demo/logins';
import type { DemoSystems } from '../../local/demo/systems';
import type { OutcomeState } from '../../model/change/outcome';
import { jsonBody } from '../../model/passwords/json-body';
import type { Secret } from '../../model/passwords/secret';
import type { Change } from '../http/answers';
import type { Api } from '../http/api';
import { ApiProblem } from '../http/refusals';
import { readLines } from '../password/lines';

/** The result of the demo: one change, and for each account whether real logins confirm the outcome that Lockstep reports. */
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
  /** Whether a login with the new password succeeded; the login does not use Lockstep. */
  readonly newAccepted: boolean;
  /** Whether a login with the old password failed. */
  readonly oldRefused: boolean;
}

const WAIT_SECONDS = 60;

/**
 * Sets an old password in the accounts of one person, as their administrators would, changes it through Lockstep, and tries
 * both passwords at every account.
 * @param next the new password; this function destroys it
 */
export async function runDemo(api: Api, systems: DemoSystems, next: Secret): Promise<DemoResult> {
  const old = randomPassword();
  try {
    await giveOldPassword(systems, old);
    const began = performance.now();
    const change = await requestChange(api, next);
    const tookMs = Math.round(performance.now() - began);
    const accounts = await Promise.all(
      heroAccounts(systems).map((account) => verify(account, change, old, next)),
    );
    const proved = accounts.every((account) => account.newAccepted && account.oldRefused);
    return { ok: proved && change.state === 'done', change, accounts, tookMs };
  } finally {
    next.destroy();
    old.destroy();
  }
}

/** Reads the new password of the demo from a file. @param file null for a random password */
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

async function verify(
  account: DemoAccount,
  change: Change,
  old: Secret,
  next: Secret,
): Promise<ProvedAccount> {
  const reported = change.accounts.find(
    (candidate) => candidate.source === account.source && candidate.account === account.name,
  );
  return {
    source: account.source,
    account: account.name,
    outcome: reported?.outcome ?? 'not_applicable',
    newAccepted: await account.login(next),
    oldRefused: !(await account.login(old)),
  };
}
