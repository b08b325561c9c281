import { Command, Option } from 'commander';
import { verificationSays } from '../../model/audit/verification';
import { errors } from '../../model/errors';
import type { Exit } from '../exit-codes';
import { Failure, usage } from '../failure';
import { helpText } from '../help-text';
import type { AuditPage, AuditRecord } from '../http/answers';
import type { Api } from '../http/api';
import { isRefused, runVerification } from '../http/jobs';
import type { Output } from '../output';
import { action, type Session } from '../session';
import { type AuditFormat, auditFormats, auditLine } from '../text/audit-text';
import { count, momentOrAge, position } from '../values';

export const auditCommand = (): Command =>
  new Command('audit')
    .summary('read, follow, export and verify the audit')
    .description(
      'Shows who did what: changes, captures that had no effect and why, sign-ins, keys, configurations, pauses. The last ' +
        'line is the newest record. --all and --after read in the order of the chain.',
    )
    .option('--person <name>', 'only records about this person')
    .option('--source <source>', 'only records about this source')
    .option(
      '--action <action>',
      'only this action, such as api-key.created, or api-key for all of them',
    )
    .option('--actor <actor>', 'only records of this key, agent or relay, of worker or of lockstep')
    .option('--change <change>', 'only records of this change')
    .option('--since <time>', 'only records since this time or age, such as 24h', momentOrAge)
    .option('--until <time>', 'only records before this time or age', momentOrAge)
    .option(
      '--after <position>',
      'only records after this position of the chain, in its order',
      position,
    )
    .option(
      '--limit <n>',
      'number of newest records to show; default: 50, or all with --since',
      count,
    )
    .option('--all', 'show every record that matches, the oldest first')
    .option('--follow', 'continue with each new record until Ctrl-C')
    .addOption(
      new Option('--format <format>', 'one line per record: for people, as JSON, or as RFC 5424')
        .choices(auditFormats)
        .default('text'),
    )
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep audit --person alice --since 24h', 'shows what happened to alice today'],
          ['lockstep audit --action capture', 'shows the captures that had no effect, and why'],
          [
            'lockstep audit --all --follow --format syslog',
            'exports every record, then each new one, for a log collector',
          ],
        ],
      }),
    )
    .addCommand(verifyCommand())
    .action(action(show));

interface Options {
  readonly person?: string;
  readonly source?: string;
  readonly action?: string;
  readonly actor?: string;
  readonly change?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly after?: number;
  readonly limit?: number;
  readonly all?: true;
  readonly follow?: true;
  readonly format: AuditFormat;
}

type Query = Readonly<Record<string, string | number | undefined>>;

async function show(session: Session, options: Options): Promise<Exit> {
  const { output } = session;
  if (output.json && options.follow)
    throw usage('Use --format jsonl with --follow: -o json prints one document at the end.');
  const api = await session.api();
  const filter = filterOf(options);
  const print = printer(output, options.format, api);
  const inOrder = options.all || options.after !== undefined;
  const end = inOrder
    ? await printOldest(api, { ...filter, cursor: options.after }, print)
    : await printNewest(api, filter, options, print);
  if (output.json) print.document();
  if (options.follow) await follow(api, filter, end, print, session.interrupted());
  else if (print.printed() === 0 && !output.json) output.note('No audit record matches.');
  return 'done';
}

const filterOf = ({ person, source, action, actor, change, since, until }: Options): Query => ({
  ...{ person, source, action, actor, change },
  ...{ since: since?.toISOString(), until: until?.toISOString() },
});

/** Prints records one by one, or collects them for the document of `-o json`. */
function printer(output: Output, format: AuditFormat, { url }: Api) {
  const collected: AuditRecord[] = [];
  let printed = 0;
  return {
    print(record: AuditRecord) {
      printed += 1;
      if (output.json) collected.push(record);
      else output.line(auditLine(output, format, record, url.hostname));
    },
    printed: () => printed,
    document: () => output.show({ records: collected }, () => []),
  };
}
type Printer = ReturnType<typeof printer>;

const MOST_PER_PAGE = 200;
const NEWEST = 50;

/** Prints every record that matches, in the order of the chain. @returns the cursor after everything that was searched */
async function printOldest(api: Api, query: Query, printed: Printer): Promise<string> {
  let cursor = query.cursor === undefined ? undefined : String(query.cursor);
  for (;;) {
    const page: AuditPage = await api.get(['audit'], {
      query: { ...query, order: 'oldest', limit: MOST_PER_PAGE, cursor },
    });
    page.records.forEach(printed.print);
    if (page.next === null) return page.end;
    cursor = page.next;
  }
}

/**
 * Prints the newest records, the newest last. With `follow`, those that were not chained yet are left out, because they
 * come with the next page.
 */
async function printNewest(
  api: Api,
  query: Query,
  options: Options,
  printed: Printer,
): Promise<string> {
  const { since, until, follow: follows } = options;
  const { limit = since || until ? Number.POSITIVE_INFINITY : NEWEST } = options;
  const found: AuditRecord[] = [];
  let cursor: string | undefined;
  let end = '0';
  while (found.length < limit) {
    const left = Math.min(MOST_PER_PAGE, limit - found.length);
    const page: AuditPage = await api.get(['audit'], { query: { ...query, limit: left, cursor } });
    if (cursor === undefined) end = page.end;
    found.push(...page.records);
    if (page.next === null) break;
    cursor = page.next;
  }
  const shown = follows
    ? found.filter(({ position: at }) => at !== null && at <= Number(end))
    : found;
  shown.reverse().forEach(printed.print);
  return end;
}

const FOLLOW_SECONDS = 50;

async function follow(
  api: Api,
  query: Query,
  from: string,
  printed: Printer,
  signal: AbortSignal,
): Promise<void> {
  let cursor = from;
  while (!signal.aborted) {
    const page: AuditPage | null = await api
      .get<AuditPage>(['audit'], {
        query: { ...query, order: 'oldest', limit: MOST_PER_PAGE, cursor },
        waitSeconds: FOLLOW_SECONDS,
        signal,
      })
      .catch((error: unknown) => {
        if (signal.aborted) return null;
        throw error;
      });
    if (page === null) return;
    page.records.forEach(printed.print);
    cursor = page.next ?? page.end;
  }
}

const VERIFY_SECONDS = 3_600;

const verifyCommand = (): Command =>
  new Command('verify')
    .summary('verify the chain of the audit and its anchors')
    .description(
      'A worker computes the chain of the audit again with its key, and compares it with the anchors outside the database. ' +
        'It shows from which to which record the audit was verified, and the first record that does not fit.',
    )
    .addHelpText(
      'after',
      helpText({
        examples: [['lockstep audit verify', 'shows whether records were changed or removed']],
        exits: { failed: 'a record does not fit, or no worker runs' },
      }),
    )
    .action(action(verify));

async function verify({ output, api }: Session): Promise<Exit> {
  const result = await runVerification(await api(), VERIFY_SECONDS);
  if (result === null) throw new Failure('No worker has verified the audit. Start a worker.');
  if (isRefused(result)) throw new Failure(errors[result.code].says);
  output.show(result, () => [verificationSays(result)]);
  return result.intact ? 'done' : 'failed';
}
