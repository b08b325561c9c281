import { Command } from 'commander';
import { efforts as captureEfforts } from './captures/measure';
import { benchCaptures } from './captures/run';
import { headlines } from './goals';
import { efforts, measure, type Results } from './measure';
import { openSides } from './sides';
import { captureTable, tablesOf } from './tables';

interface Options {
  readonly json?: true;
  readonly quick?: true;
}

const program = new Command('bench')
  .enablePositionalOptions()
  .usage('[options]  (npm run bench -- [options])')
  .description(
    'Lockstep beside a bare loop that does the same writes and the same proofs and keeps nothing, in turn, in one run, on ' +
      'one OpenLDAP server over LDAPS. Everything of Lockstep is durable, as after "npm start". The machine adds its noise ' +
      'to both sides, so read the ratios.',
  )
  .option('--json', 'print the results as one line of JSON at the end of stdout')
  .option('--quick', 'windows of a second: to see that it works, not how fast')
  .addHelpText(
    'after',
    [
      '',
      'Examples:',
      '  npm run bench',
      '      about eight minutes; tables on stdout, where it is on stderr',
      '  npm run bench -- --json | tail -1',
      '      for a program',
      '  npm run bench -- captures',
      '      how fast a password that is changed in a source reaches all others',
      '  TEMPORAL_ADDRESS=127.0.0.1:7233 npm run bench',
      '      with a Temporal server of your own behind it, such as one on PostgreSQL',
      '',
      'bench/README.md tells what is measured, and what was.',
    ].join('\n'),
  )
  .action(bench);

async function bench({ json, quick }: Options): Promise<void> {
  const interrupted = interruption();
  const sides = await openSides(report);
  try {
    const effort = quick ? efforts.quick : efforts.full;
    const results = await Promise.race([measure(sides, effort, report), interrupted]);
    process.stdout.write(`\n${tablesOf(results)}`);
    if (json) process.stdout.write(`${asJson(results)}\n`);
  } finally {
    await sides.stop();
  }
}

/** Rejects at the first Ctrl-C, so that what was started is stopped and what it kept is removed. */
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
    'How long a password that is changed in a source takes to every other account, and how many a second.',
  )
  .option('--json', 'print the results as one line of JSON at the end of stdout')
  .option('--quick', 'a few changes: to see that it works, not how fast')
  .action(async ({ json, quick }: Options) => {
    const effort = quick ? captureEfforts.quick : captureEfforts.full;
    const measured = await benchCaptures(effort, report, interruption());
    process.stdout.write(`\n${captureTable(measured)}`);
    if (json) process.stdout.write(`${JSON.stringify({ captures: measured })}\n`);
  });

program.parseAsync(process.argv).catch((error: Error) => {
  report(error.message);
  // Whoever is in the middle of a change would wait for its end.
  process.exit(1);
});
