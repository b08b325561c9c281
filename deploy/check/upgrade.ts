import { existsSync } from 'node:fs';
import path from 'node:path';
import { clientOf } from '../../local/postgres';
import { run } from '../make/tools';
import { startCompany } from './company';
import { prepareFleet } from './fleet';
import { type Check, type Context, type Found, Skipped } from './report';
import { link, underTraffic } from './walk';

const PEOPLE = 20;

/** @param before commit of the release before; null if the command line names none */
export const upgradeFrom = (before: string | null): Check => ({
  name: 'upgrade',
  title: 'a rolling upgrade from the release before, and back, loses nothing',
  async run(context) {
    if (process.getuid?.() !== 0)
      throw new Skipped('the processes run as users of their own, which needs root');
    if (before === null)
      throw new Skipped('name the commit of the release before: --before COMMIT');
    const older = await buildOlder(before, context);
    try {
      return await rollOver(before, path.join(older, 'dist'), context);
    } finally {
      await run('git', ['worktree', 'remove', '--force', older], { cwd: context.clone });
    }
  },
});

async function buildOlder(commit: string, { clone, workDir, report }: Context): Promise<string> {
  const older = path.join(workDir, 'older');
  report(`building ${commit}`);
  await run('git', ['worktree', 'add', '--detach', older, commit], { cwd: clone });
  await run('npm', ['ci', '--ignore-scripts', '--include=dev'], { cwd: older });
  await run('npm', ['run', 'build'], { cwd: older });
  return older;
}

async function rollOver(before: string, older: string, context: Context) {
  const newer = path.join(context.clone, 'dist');
  if (!existsSync(older)) throw new Error(`${older} was not built`);
  const company = await startCompany(
    { ...context, workDir: path.join(context.workDir, 'company') },
    'development',
    PEOPLE,
  );
  const fleet = await prepareFleet(company, context.workDir);
  const roll = (dist: string) => async () => {
    for (const member of fleet.members) {
      await member.stop();
      await member.start(dist);
    }
  };
  try {
    for (const member of fleet.members) await member.start(older);
    await link(fleet, company);
    return [
      ...(await underTraffic(
        `upgrade from ${before}, one process after the other`,
        fleet,
        company,
        roll(newer),
      )),
      ...(await addMigration(company.databaseUrl)),
      ...(await underTraffic(
        'return to it, on a database with a migration that it does not know',
        fleet,
        company,
        roll(older),
      )),
    ];
  } finally {
    await fleet.stop();
    await company.stop();
  }
}

/** Migrates the database as a release after this one would, because this one may have no new migration. */
async function addMigration(databaseUrl: string): Promise<Found> {
  const client = clientOf({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('alter table change add column of_a_newer_release text');
    await client.query(
      `insert into kysely_migration (name, timestamp) values ('9999-newer', '${new Date().toISOString()}')`,
    );
  } finally {
    await client.end();
  }
  return ['a migration of a newer release was added to the database'];
}
