import { Command } from 'commander';
import { errors } from '../../model/errors';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { Api } from '../http/api';
import { isRefused, runJob } from '../http/jobs';
import { knownSources } from '../http/known-sources';
import { readPages } from '../http/pages';
import type { Look, StaleAccount } from '../http/shapes';
import { action, type Session } from '../session';
import { staleLines } from '../text/stale-text';
import { count, seconds } from '../values';

interface Options {
  readonly identity?: string;
  readonly source?: string;
  readonly look?: true;
  readonly wait: number;
  readonly limit: number;
  readonly cursor?: string;
  readonly all?: true;
}

export const staleCommand = (): Command =>
  new Command('stale')
    .summary('list accounts that do not hold the password of their person')
    .description(
      'Lists accounts that missed the last change of their person, and those whose password was changed in the source ' +
        'since, as far as somebody looked; since when, and what to do.',
    )
    .option('--identity <name>', 'only those of this person')
    .option('--source <source>', 'only those in this source')
    .option('--look', 'ask the sources first when each password was last changed')
    .option('--wait <seconds>', 'how long to wait for each source with --look', seconds, 300)
    .option('--limit <n>', 'so many at most', count, 50)
    .option('--cursor <cursor>', 'go on where a list ended')
    .option('--all', 'all of them')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep stale', 'who missed the last change'],
          ['lockstep stale --look --source crm', 'asks crm for changes that nobody captured, too'],
        ],
        exits: { partial: 'there are some' },
      }),
    )
    .action(action(stale));

async function stale(session: Session, options: Options): Promise<Exit> {
  const { output } = session;
  const { all, look, wait, ...query } = options;
  const api = await session.api();
  const named = query.source === undefined ? [] : [query.source];
  const unseen = look ? await lookAt(api, named, wait) : [];
  const { items, next } = await readPages<'stale', StaleAccount>(api, 'stale', { query, all });
  output.show({ stale: items, next, unseen }, () => staleLines(output, items, Date.now()));
  for (const { source, says } of unseen) output.note(`${source} was not looked at: ${says}`);
  if (next !== null && !output.json) output.note(`More: --cursor ${next}, or --all.`);
  return items.length === 0 ? 'done' : 'partial';
}

/** @returns the sources of which not everything could be asked, and why */
async function lookAt(
  api: Api,
  named: readonly string[],
  waitSeconds: number,
): Promise<readonly { readonly source: string; readonly says: string }[]> {
  const sources = (await knownSources(api, named)).filter(({ enabled }) => enabled);
  const seen = await Promise.all(
    sources.map(async ({ name: source }) => {
      const look = await runJob<Look>(api, { source, verb: 'look', waitSeconds });
      const failed = look !== null && (isRefused(look) ? look.code : look.failed);
      if (look === null) return { source, says: 'it takes longer than --wait; it goes on.' };
      return failed ? { source, says: errors[failed].says } : null;
    }),
  );
  return seen.filter((one) => one !== null);
}
