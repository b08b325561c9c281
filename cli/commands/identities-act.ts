import { Command } from 'commander';
import type { AccountAction } from '../../model/people/account-actions';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { AccountActionAnswer } from '../http/answers';
import { action as commandAction, type Session } from '../session';
import { table } from '../text/table';
import { seconds } from '../values';

interface Options {
  readonly reason: string;
  readonly source?: string;
  readonly account?: string;
  readonly wait: number;
}

/** A command of the help desk that acts on the accounts of a person. */
const actCommand = (action: AccountAction, description: string, example: string): Command =>
  new Command(action)
    .description(description)
    .argument('<who>', 'name of the person')
    .requiredOption('--reason <text>', 'why, such as the number of a ticket; the audit records it')
    .option('--source <source>', 'only the accounts in this source')
    .option('--account <name>', 'only this account of the source')
    .option('--wait <seconds>', 'how long to wait for the workers, at most 60', seconds, 30)
    .addHelpText(
      'after',
      helpText({
        examples: [[`lockstep identities ${action} alice --reason "ticket 4711"`, example]],
        exits: {
          partial: 'it failed at some of the accounts',
          pending: 'not carried out within --wait',
        },
      }),
    )
    .action(
      commandAction(
        async (
          { output, api }: Session,
          who: string,
          { wait, ...wanted }: Options,
        ): Promise<Exit> => {
          const lockstep = await api();
          const answer = await lockstep.send<AccountActionAnswer>(
            'POST',
            ['identities', who, action],
            {
              body: wanted,
              waitSeconds: wait,
              missing: `There is no person ${who} with such an account. "lockstep identities show ${who}" shows the accounts.`,
            },
          );
          output.show(answer, () => table(output, columns, answer.accounts.map(row)));
          return exitOf(answer);
        },
      ),
    );

export const unlockCommand = (): Command =>
  actCommand(
    'unlock',
    'Ends the locks that failed logins have caused, in every source that can do that. It enables no account.',
    'unlocks every account of alice',
  );

export const forceChangeCommand = (): Command =>
  actCommand(
    'force-change',
    'Makes a person change the password at the next login, in every source that can do that. The passwords stay until then.',
    'forces a change in every source of alice',
  );

const columns = [
  { title: 'SOURCE' },
  { title: 'ACCOUNT', cut: 'first' },
  { title: 'RESULT' },
] as const;

const row = ({ source, account, says }: AccountActionAnswer['accounts'][number]): string[] => [
  source,
  account,
  says,
];

function exitOf({ accounts }: AccountActionAnswer): Exit {
  if (accounts.some(({ result }) => result === null)) return 'pending';
  const failed = accounts.filter(({ result }) => result === 'failed');
  if (failed.length === accounts.length) return 'failed';
  // A source that cannot do it is no failure, if another one has done it.
  return failed.every(({ reason }) => reason === 'not_supported') ? 'done' : 'partial';
}
