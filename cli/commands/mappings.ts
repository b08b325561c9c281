import { Command, Option } from 'commander';
import { type MappingListState, mappingListStates } from '../../model/change/mapping';
import type { Exit } from '../exit-codes';
import { usage } from '../failure';
import { helpText } from '../help-text';
import type { ListedMapping } from '../http/answers';
import type { Api } from '../http/api';
import { readPages } from '../http/pages';
import { allOption, cursorOption, limitOption, noteNextPage, type Paging } from '../paging';
import { action, type Session } from '../session';
import { credentialState } from '../text/credential-text';
import { table } from '../text/table';
import { generateCommand } from './mappings-generate';
import { importCommand } from './mappings-import';
import { setCredentialsCommand } from './mappings-set-credentials';

export const mappingsCommand = (): Command =>
  new Command('mappings')
    .summary('list, import, generate, enable, disable and delete mappings')
    .description(
      'Lists and changes mappings: which account a person uses in which single sign-on application.',
    )
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(importCommand())
    .addCommand(generateCommand())
    .addCommand(setCredentialsCommand())
    .addCommand(
      onOne('enable', 'Enables a mapping. The next change of its account stores the credential.'),
    )
    .addCommand(
      onOne('disable', 'Disables a mapping. Changes of its account leave the credential as it is.'),
    )
    .addCommand(
      onOne('delete', 'Deletes a disabled mapping and its credential. The account stays linked.'),
    );

interface Filter extends Paging {
  readonly application?: string;
  readonly identity?: string;
  readonly state?: MappingListState;
}

const listCommand = (): Command =>
  new Command('list')
    .summary('list mappings (the default command)')
    .description('Lists mappings, the oldest first.')
    .option('--application <application>', 'only mappings of this application')
    .option('--identity <who>', 'only mappings of this person')
    .addOption(
      new Option(
        '--state <state>',
        'only disabled mappings, or enabled ones whose credential is in this state',
      ).choices(mappingListStates),
    )
    .addOption(limitOption(50))
    .addOption(cursorOption())
    .addOption(allOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep mappings --application reports --state disabled',
            'lists the mappings of reports that wait to be enabled',
          ],
        ],
      }),
    )
    .action(action(list));

async function list({ output, api }: Session, { all, ...query }: Filter): Promise<Exit> {
  const read = await readPages<'mappings', ListedMapping>(await api(), 'mappings', {
    query: { ...query },
    all,
  });
  output.show({ mappings: read.items, next: read.next }, () =>
    read.items.length === 0 ? ['No mapping matches.'] : mappingTable(output, read.items),
  );
  noteNextPage(output, 'mappings', read.next);
  return 'done';
}

const mappingTable = (output: Session['output'], mappings: readonly ListedMapping[]): string[] =>
  table(
    output,
    [
      { title: 'PERSON', cut: 'first' },
      { title: 'APPLICATION' },
      { title: 'SOURCE' },
      { title: 'ACCOUNT', cut: 'first' },
      { title: 'STATE' },
    ],
    mappings.map((mapping) => [
      mapping.identity,
      mapping.application,
      mapping.source,
      mapping.account,
      mapping.enabled ? credentialState(mapping) : 'disabled',
    ]),
  );

const dones = {
  enable: { method: 'POST', path: ['enable'], says: 'Enabled' },
  disable: { method: 'POST', path: ['disable'], says: 'Disabled' },
  delete: { method: 'DELETE', path: [], says: 'Deleted' },
} as const;

const onOne = (verb: keyof typeof dones, says: string): Command =>
  new Command(verb)
    .description(says)
    .argument('<who>', 'name of the person')
    .argument('<application>', 'name of the application')
    .argument('[account]', 'account, if the person has several mappings of the application')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [`lockstep mappings ${verb} alice reports`, `${verb}s the mapping of alice in reports`],
        ],
      }),
    )
    .action(
      action(async (session: Session, who: string, application: string, account?: string) =>
        change(session, verb, { who, application, account }),
      ),
    );

interface Named {
  readonly who: string;
  readonly application: string;
  readonly account: string | undefined;
}

async function change(
  { output, api }: Session,
  verb: keyof typeof dones,
  named: Named,
): Promise<Exit> {
  const lockstep = await api();
  const mapping = await findMapping(lockstep, named);
  const { method, path, says } = dones[verb];
  await lockstep.send(method, ['mappings', mapping.id, ...path]);
  const { identity, application, account } = mapping;
  output.show({ [says.toLowerCase()]: { identity, application, account } }, () => [
    `${says} the mapping of ${identity} to ${account} in ${application}.`,
  ]);
  return 'done';
}

/** Finds the one mapping that is meant. Several mappings are never a reason to guess. */
async function findMapping(api: Api, { who, application, account }: Named): Promise<ListedMapping> {
  const query = { identity: who, application, limit: 200 };
  const { items } = await readPages<'mappings', ListedMapping>(api, 'mappings', {
    query,
    all: true,
  });
  const meant = items.filter((item) => account === undefined || item.account === account);
  const [only, another] = meant;
  if (only === undefined)
    throw usage(
      `${who} has no such mapping in ${application}. "lockstep mappings --identity ${who}" lists them.`,
    );
  if (another !== undefined)
    throw usage(
      `${who} has several mappings in ${application}. Name one account: ${meant.map((item) => item.account).join(', ')}.`,
    );
  return only;
}
