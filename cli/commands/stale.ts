import { Command } from 'commander';
import type { Look } from '../../model/api/job-results';
import { errors } from '../../model/errors';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { StaleAccount } from '../http/answers';
import type { Api } from '../http/api';
import { isRefused, runJob } from '../http/jobs';
import { knownSources } from '../http/known-sources';
import { readPages } from '../http/pages';
import { allOption, cursorOption, limitOption, noteNextPage, type Paging } from '../paging';
import { action, type Session } from '../session';
import { staleLines } from '../text/stale-text';
import { seconds } from '../values';

interface Options extends Paging {
  readonly identity?: string;
  readonly source?: string;
  readonly look?: true;
  readonly wait: number;
}

export const staleCommand = (): Command =>
  new Command('stale')
    .summary('list accounts that do not hold the current password of their person')
    .description(
      'Lists accounts that missed the last change of their person, and accounts whose password was changed in the source ' +
        'afterwards, with the time and what to do. Use --look to find the latter.',
    )
    .option('--identity <name>', 'only accounts of this person')
    .option('--source <source>', 'only accounts in this source')
    .option('--look', 'first read from the sources when each password was last changed')
    .option('--wait <seconds>', 'how long to wait for each source with --look', seconds, 300)
    .addOption(limitOption(50))
    .addOption(cursorOption())
    .addOption(allOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep stale', 'lists accounts that are known to be stale'],
          [
            'lockstep stale --look --source crm',
            'also finds passwords that were changed in crm without being captured',
          ],
        ],
        exits: {
          done: 'no account is known to be stale',
          partial: 'at least one account is stale',
        },
      }),
    )
    .action(action(stale));

async function stale(session: Session, options: Options): Promise<Exit> {
  const { output } = session;
  const { all, look, wait, ...query } = options;
  const api = await session.api();
  const named = query.source === undefined ? [] : [query.source];
  const unread = look ? await lookAt(api, named, wait) : [];
  const { items, next } = await readPages<'stale', StaleAccount>(api, 'stale', { query, all });
  output.show({ stale: items, next, unseen: unread }, () => staleLines(output, items, Date.now()));
  for (const { source, says } of unread) output.note(`${source} was not read completely: ${says}`);
  noteNextPage(output, 'accounts', next);
  return items.length === 0 ? 'done' : 'partial';
}

/** Reads the times of password changes. @returns the sources that could not be read completely, each with the reason */
async function lookAt(
  api: Api,
  named: readonly string[],
  waitSeconds: number,
): Promise<readonly { readonly source: string; readonly says: string }[]> {
  const sources = (await knownSources(api, named)).filter(({ enabled }) => enabled);
  const results = await Promise.all(
    sources.map(async ({ name: source }) => {
      const look = await runJob<Look>(api, { source, verb: 'look', waitSeconds });
      const failed = look !== null && (isRefused(look) ? look.code : look.failed);
      if (look === null)
        return {
          source,
          says: 'it takes longer than --wait. Reading continues: run this again later.',
        };
      return failed ? { source, says: errors[failed].says } : null;
    }),
  );
  return results.filter((result) => result !== null);
}
