import { randomUUID } from 'node:crypto';
import { Command, Option } from 'commander';
import { hasEnded } from '../../model/change/change';
import type { Secret } from '../../model/passwords/secret';
import { type Exit, exitCodes, exitOf } from '../exit-codes';
import { Failure, usage } from '../failure';
import { helpText } from '../help-text';
import type { Api } from '../http/api';
import { follow, lastOf } from '../http/follow';
import { AnswerLost, ApiProblem } from '../http/refusals';
import type { Change, ChangePlan } from '../http/shapes';
import { askPasswords } from '../password/ask';
import { jsonBody } from '../password/json-body';
import { action, type Session } from '../session';
import { inShort } from '../text/change-text';
import { dryRunLines } from '../text/dry-run-text';
import { watch } from '../text/watch';
import { seconds, sourceAndName } from '../values';

interface Options {
  readonly account?: AccountName;
  readonly group?: string;
  readonly current?: true | undefined;
  readonly passwordFile?: string;
  readonly watch?: true;
  readonly dryRun?: true;
  readonly wait: number;
  readonly idempotencyKey?: string;
  readonly password?: unknown;
}

interface AccountName {
  readonly source: string;
  readonly name: string;
}

export const changeCommand = (): Command =>
  new Command('change')
    .summary('give a person a new password, everywhere')
    .description(
      'Gives a person a new password in every account that shares it: the auth account first, then the others. ' +
        'The password is asked for at the terminal without echo, or read from stdin (one line, and the current ' +
        'password on the next with --current), or from a file. It is never taken from the command line.',
    )
    .argument('[who]', 'name of the person')
    .option('--account <source:name>', 'the person who has this account', sourceAndName)
    .option('--group <group>', 'the sync group, for people in groups with different auth sources')
    .option('--current', 'ask for the current password too; the auth account must have it')
    .option('--password-file <file>', 'read the password from the first line of a file')
    .option(
      '--dry-run',
      'only show what it would do; with --password-file, judge that password too',
    )
    .option('--watch', 'show how each account takes it')
    .option('--wait <seconds>', 'how long to wait for the end', seconds, 30)
    .option('--idempotency-key <key>', 'the same key starts the same change only once')
    .addOption(new Option('--password [value]').hideHelp())
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep change alice --watch', 'asks twice and shows a row for each account'],
          ['lockstep change alice --dry-run', 'who would be touched, in which order, and why not'],
          ['pass show alice | lockstep change alice', 'takes the password from another program'],
          [
            "lockstep change --account 'corp-directory:uid=alice,dc=example,dc=com'",
            'names the person by an account',
          ],
        ],
        exits: {
          done: 'every account holds the new password',
          failed: 'refused, and nothing else was attempted; or given up',
          partial: exitCodes.partial.says,
          pending: 'accepted, and not ended within --wait',
        },
      }),
    )
    .action(action(changePassword));

const ON_THE_COMMAND_LINE =
  'A password on the command line can be read by everybody on this machine, and the shell keeps it. It was not used. ' +
  'Choose another one, and give it at the prompt, through stdin or with --password-file.';

async function changePassword(
  session: Session,
  who: string | undefined,
  options: Options,
): Promise<Exit> {
  if (options.password !== undefined) throw usage(ON_THE_COMMAND_LINE);
  if ((who === undefined) === (options.account === undefined))
    throw usage('Name the person, or one of their accounts with --account.');
  if (options.dryRun) return dryRun(session, who, options);
  const idempotencyKey = checkedKey(options.idempotencyKey ?? randomUUID());
  const api = await session.api();
  const body = await requestBody(who, options);
  const began = Date.now();
  if (session.output.terminal && !options.watch && options.wait > 0)
    session.output.note(`Waiting for every account, ${options.wait} s at most.`);
  const started = await start(session, api, body, { ...options, idempotencyKey }).finally(() =>
    body.destroy(),
  );
  const deadline = began + options.wait * 1000;
  const change = await goOn(session, api, started, options.watch ? null : deadline);
  session.output.show(change, () => inShort(session.output, change));
  return exitOf(change.state);
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
  return plan.violations === null || plan.violations.length === 0 ? 'done' : 'failed';
}

/** It holds the passwords: whoever calls it destroys it. */
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

/** A key that may start changes but not read them learns the end only here. */
const LONGEST_WAIT_SECONDS = 60;

/** @returns the change as the api answers it, also when its auth account has refused */
async function start(
  session: Session,
  api: Api,
  body: Secret,
  { watch, wait, idempotencyKey }: Options & { readonly idempotencyKey: string },
): Promise<Change> {
  try {
    return await api.send<Change>('POST', ['changes'], {
      body,
      headers: { 'idempotency-key': idempotencyKey },
      waitSeconds: watch ? 0 : Math.min(wait, LONGEST_WAIT_SECONDS),
      signal: session.interrupted(),
    });
  } catch (error) {
    if (error instanceof ApiProblem && error.problem.change !== undefined)
      return error.problem.change;
    if (!(error instanceof AnswerLost)) throw error;
    throw new Failure(
      `${error.message} The change may have been accepted: see "lockstep status last", or send it again with --idempotency-key ${idempotencyKey}, which starts it only once.`,
    );
  }
}

/**
 * Follows a change that is accepted: whatever goes wrong from here on, it is not lost.
 * @param deadline null to show every step until the end
 */
async function goOn(
  session: Session,
  api: Api,
  started: Change,
  deadline: number | null,
): Promise<Change> {
  try {
    return deadline === null
      ? await watch(session, api, started)
      : await waitForEnd(session, api, started, deadline);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    session.output.note(`The change is accepted, but cannot be followed: ${error.message}`);
    return started;
  }
}

async function waitForEnd(
  session: Session,
  api: Api,
  started: Change,
  deadline: number,
): Promise<Change> {
  const left = deadline - Date.now();
  if (hasEnded(started.state) || left <= 0) return started;
  const signal = AbortSignal.any([session.interrupted(), AbortSignal.timeout(left)]);
  const changes = follow(api, started.id, { signal, interrupted: session.output.note });
  return (await lastOf(changes)) ?? started;
}

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;

function checkedKey(key: string): string {
  if (VISIBLE_ASCII.test(key)) return key;
  throw usage('An idempotency key has 1 to 255 visible ASCII characters.');
}
