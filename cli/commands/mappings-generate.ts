import { Command, Option } from 'commander';
import type { NameRule } from '../../model/people/generated-name';
import type { WantedRow } from '../../model/people/mapping-plan';
import { mappingRowReasons } from '../../model/people/mapping-rows';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { GeneratedMappings } from '../http/answers';
import type { Api } from '../http/api';
import { type ImportOptions, importRows, type PlannedRows } from '../mappings/import-rows';
import type { ShownRow } from '../mappings/rows';
import { action, type Session } from '../session';
import { count } from '../values';
import { withImportOptions } from './mappings-import';

interface Options extends ImportOptions, Partial<Omit<NameRule, 'stripDomain'>> {
  readonly stripDomain?: true;
}

export const generateCommand = (): Command =>
  withImportOptions(
    new Command('generate')
      .summary('create mappings to accounts whose names follow a rule')
      .description(
        'Makes the name of an account for each user of an application, from the name or an attribute of the person, and ' +
          'maps them after a preview. The rule removes the domain, then changes the case, then cuts to the limit.',
      )
      .argument('<application>', 'name of the application')
      .option(
        '--from <attribute>',
        'attribute of the person; "name" is the name of the person',
        'name',
      )
      .option('--strip-domain', 'remove "DOMAIN\\" at the beginning and "@domain" at the end')
      .addOption(
        new Option('--case <case>', 'change the letters of the name').choices(['upper', 'lower']),
      )
      .option('--prefix <text>', 'text before the name')
      .option('--suffix <text>', 'text after the name')
      .option('--limit <characters>', 'longest name; prefix and suffix are never cut', count),
  )
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep mappings generate reports --from mail --strip-domain --case upper --limit 8 --dry-run',
            'shows the names for a system that accepts at most 8 capital letters',
          ],
        ],
        exits: {
          partial: 'some names conflict, are unknown or cannot be made; the others are done',
        },
      }),
    )
    .action(action(generate));

async function generate(
  { output, api }: Session,
  application: string,
  { link, enable, dryRun, yes, ...rule }: Options,
): Promise<Exit> {
  const lockstep = await api();
  const { skipped, ...planned } = await readAll(lockstep, { application, rule, link });
  if (skipped.length > 0)
    output.note(
      `${skipped.length === 1 ? '1 person gets' : `${skipped.length} people get`} no name, because the rule leaves nothing of the attribute: ${skipped.slice(0, 5).join(', ')}${skipped.length > 5 ? ', …' : ''}`,
    );
  const exit = await importRows(
    output,
    lockstep,
    planned,
    { link, enable, dryRun, yes },
    { skipped },
  );
  return exit === 'done' && skipped.length > 0 ? 'partial' : exit;
}

interface Wanted {
  readonly application: string;
  readonly rule: object;
  readonly link: true | undefined;
}

/** Reads the names of all users, a page of people at a time. */
async function readAll(
  api: Api,
  wanted: Wanted,
): Promise<PlannedRows & { readonly skipped: readonly string[] }> {
  const shown: ShownRow[] = [];
  const rows: WantedRow[] = [];
  const skipped: string[] = [];
  let cursor: string | null = null;
  do {
    const page: GeneratedMappings = await api.send('POST', ['mappings', 'generate'], {
      body: { ...wanted, cursor: cursor ?? undefined },
      missing: `There is no application ${wanted.application}. "lockstep applications" lists them.`,
    });
    for (const { row: _, ...row } of page.rows) {
      const { identity, application, account } = row;
      shown.push({ line: null, ...row });
      rows.push({ application, identity, account: account ?? undefined });
    }
    skipped.push(...page.skipped);
    cursor = page.next;
  } while (cursor !== null);
  return { shown: withoutShared(shown), wanted: rows, skipped };
}

/** The API plans each page of people alone, so an account that the rule gives to people of two pages is found only here. */
export function withoutShared(shown: readonly ShownRow[]): ShownRow[] {
  const keyOf = ({ account }: ShownRow) => account?.toLowerCase() ?? '';
  const counts = new Map<string, number>();
  for (const row of shown) counts.set(keyOf(row), (counts.get(keyOf(row)) ?? 0) + 1);
  const reason = 'account_twice_in_list';
  const { says } = mappingRowReasons[reason];
  return shown.map((row) =>
    row.links && (counts.get(keyOf(row)) ?? 0) > 1
      ? { ...row, status: 'conflict', reason, says, links: false }
      : row,
  );
}
