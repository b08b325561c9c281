import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { readPages } from '../http/pages';
import type { Identity } from '../http/shapes';
import { action, type Session } from '../session';
import { identityLines } from '../text/identity-text';
import { table } from '../text/table';
import { count, sourceAndName } from '../values';
import { setCommand } from './identities-set';

export const identitiesCommand = (): Command =>
  new Command('identities')
    .summary('list people, link their accounts')
    .description('People, the accounts that are theirs, and the applications they sign in to.')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(setCommand())
    .addCommand(unlinkCommand());

const listCommand = (): Command =>
  new Command('list')
    .description('Lists people, by name.')
    .option('--limit <n>', 'so many at most', count, 50)
    .option('--cursor <cursor>', 'go on where a list ended')
    .option('--all', 'all of them')
    .addHelpText('after', helpText({ examples: [['lockstep identities list --all', 'everybody']] }))
    .action(action(list));

async function list(
  { output, api }: Session,
  { all, ...query }: { readonly limit: number; readonly cursor?: string; readonly all?: true },
): Promise<Exit> {
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
  if (read.next !== null && !output.json) output.note(`More: --cursor '${read.next}', or --all.`);
  return 'done';
}

const showCommand = (): Command =>
  new Command('show')
    .description('Shows a person with accounts and applications.')
    .argument('<who>', 'name of the person')
    .addHelpText(
      'after',
      helpText({ examples: [['lockstep identities show alice', 'what is hers']] }),
    )
    .action(action(show));

async function show({ output, api }: Session, who: string): Promise<Exit> {
  const lockstep = await api();
  const identity = await lockstep.get<Identity>(['identities', who], {
    missing: `There is no person ${who}. "lockstep identities list" shows who there is.`,
  });
  output.show(identity, () => identityLines(output, identity));
  return 'done';
}

const unlinkCommand = (): Command =>
  new Command('unlink')
    .description(
      'Unlinks an account from a person. The account itself is left alone; its stored credentials go with the link.',
    )
    .argument('<who>', 'name of the person')
    .argument('<source:name>', 'the account', sourceAndName)
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep identities unlink alice apps:alice', 'apps stays as it is from now on'],
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
    `${name} in ${source} is nobody's now.`,
  ]);
  return 'done';
}
