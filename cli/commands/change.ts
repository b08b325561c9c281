import { randomUUID } from 'node:crypto';
import { Command, Option } from 'commander';
import { jsonBody } from '../../model/passwords/json-body';
import type { Secret } from '../../model/passwords/secret';
import { type Exit, exitCodes, exitOf } from '../exit-codes';
import { Failure, usage } from '../failure';
import { helpText } from '../help-text';
import type { Change, ChangePlan } from '../http/answers';
import type { Api } from '../http/api';
import { AnswerLost, ApiProblem } from '../http/refusals';
import { askPasswords, isPrompted, refuseOnCommandLine } from '../password/ask';
import { action, type Session } from '../session';
import { inShort } from '../text/change-text';
import { dryRunLines, isRefusal } from '../text/dry-run-text';
import { seconds, sourceAndName } from '../values';
import { followToEnd } from './change-follow';

const DEFAULT_WAIT_SECONDS = 30;

interface Options {
  readonly account?: AccountName;
  readonly group?: string;
  readonly current?: true | undefined;
  readonly passwordFile?: string;
  readonly watch?: true;
  readonly dryRun?: true;
  readonly wait?: number;
  readonly idempotencyKey?: string;
  readonly password?: unknown;
}

interface AccountName {
  readonly source: string;
  readonly name: string;
}

export const changeCommand = (): Command =>
  new Command('change')
    .summary('give a person a new password in all their accounts')
    .description(
      'Gives a person a new password in every account of a sync group: the auth account first, then the others. The ' +
        'command asks for the password at the terminal without showing it, or reads it from stdin or a file (one line; ' +
        'with --current, the current password on the second line). It never accepts a password on the command line.',
    )
    .argument('[who]', 'name of the person')
    .option('--account <source:name>', 'name the person by one of their accounts', sourceAndName)
    .option(
      '--group <group>',
      'sync group; needed if the groups of the person have different auth sources',
    )
    .option(
      '--current',
      'also ask for the current password, which is checked at the auth account first',
    )
    .option('--password-file <file>', 'read the password from the first line of this file')
    .option(
      '--dry-run',
      'show what the change would do, without starting it; with --password-file, also check that password against the policies',
    )
    .option('--watch', 'show the progress of each account until the change ends')
    .option(
      '--wait <seconds>',
      `how long to wait until the change ends (default: ${DEFAULT_WAIT_SECONDS}; with --watch, until it ends)`,
      seconds,
    )
    .option(
      '--idempotency-key <key>',
      'a repeated request with the same key starts the change only once',
    )
    .addOption(new Option('--password [value]').hideHelp())
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep change alice --watch',
            'asks for the password twice and shows a row for each account',
          ],
          [
            'lockstep change alice --dry-run',
            'shows which accounts would change, in which order, and why others would not',
          ],
          ['pass show alice | lockstep change alice', 'reads the password from another program'],
          [
            "lockstep change --account 'corp-directory:uid=alice,dc=example,dc=com'",
            'names the person by an account',
          ],
        ],
        exits: {
          done: 'every account holds the new password',
          failed:
            'the change was refused, failed, expired, or was cancelled or superseded; with --dry-run: it would be refused',
          partial: exitCodes.partial.says,
          pending: 'accepted, but not finished within --wait',
        },
      }),
    )
    .action(action(changePassword));

async function changePassword(
  session: Session,
  who: string | undefined,
  options: Options,
): Promise<Exit> {
  refuseOnCommandLine(options.password);
  if ((who === undefined) === (options.account === undefined))
    throw usage('Name a person, or one of their accounts with --account, but not both.');
  if (options.dryRun) return dryRun(session, who, options);
  const idempotencyKey = checkedKey(options.idempotencyKey ?? randomUUID());
  const api = await session.api();
  if (isPrompted(options.passwordFile)) await showRules(session, api, who, options);
  const body = await requestBody(who, options);
  const began = Date.now();
  const wait = options.wait ?? (options.watch ? Number.POSITIVE_INFINITY : DEFAULT_WAIT_SECONDS);
  if (session.output.terminal && !options.watch && wait > 0)
    session.output.note(`Waiting up to ${wait} s until the change ends.`);
  const firstWait = options.watch ? 0 : Math.min(wait, LONGEST_WAIT_SECONDS);
  const started = await start(session, api, body, firstWait, idempotencyKey).finally(() =>
    body.destroy(),
  );
  const deadline = began + wait * 1000;
  const change = await followToEnd(session, api, started, deadline, options.watch ?? false);
  session.output.show(change, () => inShort(session.output, change));
  return exitOf(change.state);
}

/**
 * Shows which passwords the policies allow, before the person chooses one. A key that may not plan changes gets no rules.
 * @throws ApiProblem when no change of this person is possible, so that no password is typed for nothing
 */
async function showRules(
  { output }: Session,
  api: Api,
  who: string | undefined,
  { account, group }: Options,
): Promise<void> {
  const body = jsonBody({ identity: who, account, group });
  try {
    const { groups } = await api.send<ChangePlan>('POST', ['changes', 'plan'], { body });
    for (const { name, fits } of groups)
      if (fits !== null) output.note(`Passwords of the group ${name}: ${fits}.`);
  } catch (error) {
    if (error instanceof ApiProblem && error.problem.status === 403) return;
    throw error;
  } finally {
    body.destroy();
  }
}

async function dryRun(session: Session, who: string | undefined, options: Options): Promise<Exit> {
  const { account, group, passwordFile } = options;
  const api = await session.api();
  const body =
    passwordFile === undefined
      ? jsonBody({ identity: who, account, group })
      : await requestBody(who, { ...options, current: undefined });
  const plan = await api
    .send<ChangePlan>('POST', ['changes', 'plan'], { body })
    .finally(() => body.destroy());
  session.output.show(plan, () => dryRunLines(session.output, plan));
  return isRefusal(plan) ? 'failed' : 'done';
}

/** Asks for the passwords. @returns the JSON body, which holds them: the caller destroys it */
async function requestBody(who: string | undefined, options: Options): Promise<Secret> {
  const { account, group, current, passwordFile: file = null } = options;
  const passwords = await askPasswords({
    who: who ?? account?.name ?? '',
    current: current ?? false,
    file,
  });
  try {
    return jsonBody({
      identity: who,
      account,
      group,
      password: passwords.next,
      currentPassword: passwords.current ?? undefined,
    });
  } finally {
    passwords.next.destroy();
    passwords.current?.destroy();
  }
}

/**
 * The longest time that the API waits before it answers, in seconds. Waiting in the first request matters for a key with the
 * scope trigger only: it cannot read the change later.
 */
const LONGEST_WAIT_SECONDS = 60;

/**
 * Starts the change. A change that its auth account refused is an error of the API that contains the change: it is returned
 * as well.
 */
async function start(
  session: Session,
  api: Api,
  body: Secret,
  waitSeconds: number,
  idempotencyKey: string,
): Promise<Change> {
  try {
    return await api.send<Change>('POST', ['changes'], {
      body,
      headers: { 'idempotency-key': idempotencyKey },
      waitSeconds,
      signal: session.interrupted(),
    });
  } catch (error) {
    if (error instanceof ApiProblem && error.problem.change !== undefined)
      return error.problem.change;
    if (!(error instanceof AnswerLost)) throw error;
    throw new Failure(
      `${error.message} The change may have been accepted. Run "lockstep status last", or repeat the command with --idempotency-key ${idempotencyKey}, which starts the change only once.`,
    );
  }
}

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;

function checkedKey(key: string): string {
  if (VISIBLE_ASCII.test(key)) return key;
  throw usage(
    'An idempotency key consists of 1 to 255 visible ASCII characters. Give another --idempotency-key.',
  );
}
