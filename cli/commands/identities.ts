import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { Identity, IdentityWithMappings, Overview } from '../http/answers';
import { readPages } from '../http/pages';
import { allOption, cursorOption, limitOption, noteNextPage, type Paging } from '../paging';
import { action, type Session } from '../session';
import { identityLines } from '../text/identity-text';
import { overviewLines } from '../text/overview-text';
import { table } from '../text/table';
import { sourceAndName } from '../values';
import { forceChangeCommand, unlockCommand } from './identities-act';
import { deleteCommand } from './identities-delete';
import { importCommand } from './identities-import';
import { oneTimeLinkCommand } from './identities-link';
import { setCommand } from './identities-set';

export const identitiesCommand = (): Command =>
  new Command('identities')
    .summary('list people, link and unlock their accounts')
    .description(
      'Lists and edits people, their accounts, and the applications that they sign in to. Unlocks accounts.',
    )
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(showCommand())
    .addCommand(setCommand())
    .addCommand(importCommand())
    .addCommand(unlinkCommand())
    .addCommand(deleteCommand())
    .addCommand(unlockCommand())
    .addCommand(forceChangeCommand())
    .addCommand(oneTimeLinkCommand());

const listCommand = (): Command =>
  new Command('list')
    .description('Lists people, sorted by name.')
    .option(
      '--search <text>',
      'only people whose name, an attribute such as mail, or an account contains this text, in any case',
    )
    .option('--missing', 'only people with a linked account that its source no longer lists')
    .addOption(limitOption(50))
    .addOption(cursorOption())
    .addOption(allOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep identities list --all', 'lists every person'],
          [
            'lockstep identities list --search marsh@',
            'lists the people whose name, mail or account contains this text',
          ],
          [
            'lockstep identities list --missing --all',
            'lists the people who have probably left, or lost an account',
          ],
        ],
      }),
    )
    .action(action(list));

interface ListOptions extends Paging {
  readonly search?: string;
  readonly missing?: true;
}

async function list(
  { output, api }: Session,
  { all, missing, ...rest }: ListOptions,
): Promise<Exit> {
  const query = { ...rest, ...(missing && { missing: 'true' }) };
  const read = await readPages<'identities', Identity>(await api(), 'identities', { query, all });
  output.show({ identities: read.items, next: read.next }, () =>
    table(
      output,
      [
        { title: 'PERSON', cut: 'first' },
        { title: 'ACCOUNTS IN', cut: 'first' },
      ],
      read.items.map(({ name, accounts }) => [
        name,
        accounts.map(({ source }) => source).join(', ') || 'none',
      ]),
    ),
  );
  noteNextPage(output, 'people', read.next);
  return 'done';
}

const showCommand = (): Command =>
  new Command('show')
    .description(
      'Shows a person with attributes, accounts and applications: what each account holds since when, the newest changes, ' +
        'captures that had no effect and why, and what to do next.',
    )
    .argument('<who>', 'name of the person')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep identities show alice',
            'shows the accounts of alice, what they hold, and what to do next',
          ],
        ],
      }),
    )
    .action(action(show));

async function show({ output, api }: Session, who: string): Promise<Exit> {
  const lockstep = await api();
  const identity = await lockstep.get<IdentityWithMappings>(['identities', who], {
    missing: `There is no person ${who}. "lockstep identities list" lists the people.`,
  });
  const overview = await lockstep.get<Overview>(['identities', who, 'overview']);
  output.show({ ...identity, overview }, () => [
    ...identityLines(output, identity),
    ...overviewLines(output, overview, Date.now()),
  ]);
  return 'done';
}

const unlinkCommand = (): Command =>
  new Command('unlink')
    .description(
      'Unlinks an account from a person. Lockstep does not change the account, but deletes the credentials that it stored for it.',
    )
    .argument('<who>', 'name of the person')
    .argument('<source:name>', 'account to unlink', sourceAndName)
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep identities unlink alice apps:alice',
            'future changes of alice leave the account alice in apps as it is',
          ],
        ],
      }),
    )
    .action(action(unlink));

async function unlink(
  { output, api }: Session,
  who: string,
  account: { readonly source: string; readonly name: string },
): Promise<Exit> {
  const lockstep = await api();
  const { source, name } = account;
  await lockstep.send('DELETE', ['identities', who, 'accounts'], {
    query: { source, name },
    missing: `${who} has no account ${name} in ${source}.`,
  });
  output.show({ identity: who, unlinked: account }, () => [
    `Unlinked ${name} in ${source} from ${who}. Future changes leave it as it is.`,
  ]);
  return 'done';
}
