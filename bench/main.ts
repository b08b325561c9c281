import os from 'node:os';
import { Command, Option } from 'commander';
import { backlogTable, benchBacklog } from './backlog/run';
import { efforts as captureEfforts } from './captures/measure';
import { benchCaptures } from './captures/run';
import { headlines } from './goals';
import { benchLookup, efforts as lookupEfforts, lookupTable } from './lookup/run';
import { efforts, measure, type Results } from './measure';
import { describeRun, type Part, publish } from './publish';
import { type EngineKind, engineKinds, openSides } from './sides';
import { asText, type Table } from './table';
import { captureTable, tablesOf } from './tables';

interface Options {
  readonly json?: true;
  readonly quick?: true;
  readonly publish?: true;
}

interface BenchOptions extends Options {
  readonly engine: EngineKind;
}

const loadAtStart = os.loadavg()[0] ?? Number.NaN;

const program = new Command('bench')
  .enablePositionalOptions()
  .usage('[options]  (npm run bench -- [options])')
  .description(
    'Compare Lockstep with a bare loop that does the same writes and proofs but stores nothing. Both take turns in one run, on ' +
      'one OpenLDAP server over LDAPS. Lockstep stores everything durably, as after "npm start". Noise of the machine affects ' +
      'both sides, so compare the ratios.',
  )
  .option('--json', 'print the results as one line of JSON, the last line of stdout')
  .option(
    '--quick',
    'measure for a second each, almost without a warm-up: shows that the bench works, not how fast Lockstep is',
  )
  .option('--publish', 'write the tables into docs/performance.md')
  .addOption(
    new Option(
      '--engine <kind>',
      '"postgresql" runs a Temporal server on PostgreSQL; its first run builds it from its Go module',
    )
      .choices(engineKinds)
      .default('embedded'),
  )
  .addHelpText(
    'after',
    [
      '',
      'Examples:',
      '  npm run bench',
      '      takes about ten minutes; prints tables on stdout and progress on stderr',
      '  npm run bench -- --json | tail -1',
      '      prints only the JSON, for a program',
      '  npm run bench -- captures',
      '      measures how fast a password that is changed in a source reaches all other accounts',
      '  npm run bench -- lookup',
      '      measures how fast the lookup service returns stored credentials',
      '  npm run bench -- --engine postgresql',
      '      uses a Temporal server on PostgreSQL instead of the development server',
      '  TEMPORAL_ADDRESS=127.0.0.1:7233 npm run bench',
      '      uses your own Temporal server',
      '',
      'docs/performance.md explains the measurements and shows results.',
    ].join('\n'),
  )
  .action(bench);

async function bench(options: BenchOptions): Promise<void> {
  const { json, quick } = options;
  const interrupted = interruption();
  const sides = await openSides(report, options.engine);
  try {
    const effort = quick ? efforts.quick : efforts.full;
    const results = await Promise.race([measure(sides, effort, report), interrupted]);
    show(options.engine, tablesOf(results), options);
    if (json) process.stdout.write(`${asJson(results)}\n`);
  } finally {
    await sides.stop();
  }
}

function show(part: Part, tables: readonly Table[], options: Options): void {
  const quick = options.quick === true;
  process.stdout.write(`\n${asText(tables)}\n`);
  if (quick) process.stdout.write('--quick: too short, and without a warm-up, to show the speed\n');
  if (options.publish) publish(part, tables, describeRun(quick, loadAtStart));
}

/** Rejects at the first Ctrl-C, so that the bench stops its processes and removes their data. */
function interruption(): Promise<never> {
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => reject(new Error(`ended by ${signal}`)));
  });
  interrupted.catch(() => {});
  return interrupted;
}

const asJson = (results: Results): string =>
  JSON.stringify({ ...headlines(results), details: results });

const report = (line: string): void => {
  process.stderr.write(`${process.uptime().toFixed(1).padStart(6)} s  ${line}\n`);
};

program
  .command('captures')
  .description(
    'Measure how long a password that is changed in a source takes to reach every other account, and how many arrive per second.',
  )
  .option('--json', 'print the results as one line of JSON, the last line of stdout')
  .option(
    '--quick',
    'make only a few changes: shows that the bench works, not how fast Lockstep is',
  )
  .option('--publish', 'write the table into docs/performance.md')
  .action(async (options: Options) => {
    const effort = options.quick ? captureEfforts.quick : captureEfforts.full;
    const measured = await benchCaptures(effort, report, interruption());
    show('captures', [captureTable(measured)], options);
    if (options.json) process.stdout.write(`${JSON.stringify({ captures: measured })}\n`);
  });

program
  .command('backlog')
  .description(
    'Measure how fast changes are planned while one source is down, and how fast they end when it is up again.',
  )
  .option('--changes <number>', 'number of changes, each of another person', Number, 10_000)
  .action(async ({ changes }: { readonly changes: number }) => {
    const measured = await benchBacklog(changes, report, interruption());
    process.stdout.write(`\n${asText([backlogTable(measured)])}\n`);
  });

program
  .command('lookup')
  .description(
    'Measure how fast the lookup service returns credentials, and issues and redeems tickets.',
  )
  .option('--json', 'print the results as one line of JSON, the last line of stdout')
  .option('--quick', 'measure for half a second each: shows that the bench works')
  .action(async ({ quick, json }: Options) => {
    const effort = quick ? lookupEfforts.quick : lookupEfforts.full;
    const measured = await benchLookup(effort, report, interruption());
    process.stdout.write(`\n${asText([lookupTable(measured)])}\n`);
    if (json) process.stdout.write(`${JSON.stringify({ lookup: measured })}\n`);
  });

program.parseAsync(process.argv).catch((error: Error) => {
  report(error.message);
  // Lanes in the middle of a change would otherwise keep the process alive until it ends.
  process.exit(1);
});
