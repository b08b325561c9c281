import type { WantedRow } from '../../model/people/mapping-plan';
import { confirm } from '../confirm';
import type { Exit } from '../exit-codes';
import { Failure } from '../failure';
import type { MappingPlan } from '../http/answers';
import type { Api } from '../http/api';
import { AnswerLost } from '../http/refusals';
import type { Output } from '../output';
import { counted } from '../text/counted';
import { countsOf, planLines, resultLines } from '../text/mapping-rows-text';
import type { ShownRow } from './rows';

export interface ImportOptions {
  readonly link?: true;
  readonly enable?: true;
  readonly dryRun?: true;
  readonly yes?: true;
}

/** Rows that the API has planned, with what is needed to import those that can be created. */
export interface PlannedRows {
  readonly shown: readonly ShownRow[];
  /** The same rows, as the API accepts them. */
  readonly wanted: readonly WantedRow[];
}

/** An interruption repeats at most this many rows, which are then found to exist. */
const BATCH = 500;

/**
 * Shows what would become of the rows, asks for confirmation, and imports those that can be created, in batches. A run
 * that was interrupted is continued by running the command again.
 * @param more members that the JSON document has, too
 */
export async function importRows(
  output: Output,
  api: Api,
  { shown, wanted }: PlannedRows,
  options: ImportOptions,
  more: object = {},
): Promise<Exit> {
  const creatable = shown.flatMap((row, index) => (row.status === 'create' ? [index] : []));
  if (options.dryRun || creatable.length === 0) {
    output.show({ ...more, counts: countsOf(shown), rows: shown }, () => planLines(output, shown));
    return exitOf(shown);
  }
  for (const line of planLines(output, shown)) output.line(line);
  if (!options.yes) await confirm(`Create ${counted(creatable.length, 'mapping')}?`);
  const results = new Map<number, MappingPlan['rows'][number]>();
  for (let at = 0; at < creatable.length; at += BATCH) {
    const batch = creatable.slice(at, at + BATCH);
    const rows = batch.flatMap((index) => wanted[index] ?? []);
    const body = { rows, link: options.link, enabled: options.enable };
    const answer = await api
      .send<MappingPlan>('POST', ['mappings', 'import'], { body })
      .catch((error) => {
        throw interrupted(error, results.size);
      });
    for (const [position, row] of answer.rows.entries()) results.set(batch[position] ?? -1, row);
    if (creatable.length > BATCH && output.terminal)
      output.note(`${results.size} of ${creatable.length}`);
  }
  const ended = shown.map((row, index): ShownRow => {
    const { row: _, ...result } = results.get(index) ?? { ...row, row: index };
    return { ...result, line: row.line };
  });
  output.show({ ...more, counts: countsOf(ended), rows: ended }, () =>
    resultLines(output, shown, ended),
  );
  return exitOf(ended);
}

/** A row that neither exists nor was created needs the administrator. */
const exitOf = (rows: readonly ShownRow[]): Exit =>
  rows.some(({ status }) => status === 'conflict' || status === 'unknown') ? 'partial' : 'done';

function interrupted(error: unknown, done: number): unknown {
  if (!(error instanceof Failure) || (done === 0 && !(error instanceof AnswerLost))) return error;
  return new Failure(
    `${error.message} The first ${done} rows are done. Run the command again to continue; a mapping that exists is not created twice.`,
    { lines: error.lines },
  );
}
