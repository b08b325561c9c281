import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { openLockstep } from '../../bench/lockstep';
import { clientOf } from '../../local/postgres';
import { run } from '../make/tools';
import { type Company, startCompany } from './company';
import { type Fleet, type Member, prepareFleet } from './fleet';
import { type Check, type Context, type Found, must, Skipped } from './report';
import { startTraffic, verifyAccounts } from './traffic';

const PEOPLE = 20;

export const walk: Check = {
  name: 'walk',
  title:
    'two apis and three workers, one of them bound to a source, with Temporal on PostgreSQL: any one is killed, all are restarted, and a backup is restored',
  async run(context) {
    if (process.getuid?.() !== 0)
      throw new Skipped('the processes run as users of their own, which needs root');
    const company = await startCompany(
      { ...context, workDir: path.join(context.workDir, 'company') },
      'cluster',
      PEOPLE,
    );
    const fleet = await prepareFleet(company, context.workDir, 'apps');
    try {
      for (const member of fleet.members) await member.start();
      await link(fleet, company);
      const found = [
        ...(await underTraffic('each was killed and started again', fleet, company, killEach)),
        ...(await underTraffic('each was restarted in order', fleet, company, restartEach)),
        ...(await restore(fleet, company, context)),
      ];
      return found;
    } finally {
      await fleet.stop();
      await company.stop();
    }
  },
};

/** Configures both sources and links the people. */
export const link = (fleet: Fleet, { slapd, people }: Company) =>
  openLockstep({
    apiUrl: fleet.apis[0]?.url ?? '',
    adminKeyFile: fleet.adminKeyFile,
    slapd,
    secretFiles: fleet.secretFiles,
    people,
    watched: {},
    ...(fleet.isolated !== undefined && { isolated: fleet.isolated }),
  });

export type Disturbance = (members: readonly Member[]) => Promise<void>;

const killEach: Disturbance = async (members) => {
  for (const member of members) {
    await member.kill();
    await member.start();
  }
};

const restartEach: Disturbance = async (members) => {
  for (const member of members) {
    await member.stop();
    await member.start();
  }
};

/**
 * Disturbs the processes while clients change passwords.
 * @throws Error if a change is lost, is carried out twice, or an account does not hold the newest password
 */
export async function underTraffic(
  what: string,
  fleet: Fleet,
  { databaseUrl, slapd, people }: Company,
  disturb: Disturbance,
): Promise<Found> {
  const passwords = new Map<string, string>();
  const before = await countChanges(databaseUrl);
  const traffic = startTraffic({
    urls: fleet.apis.map(({ url }) => url),
    adminKeyFile: fleet.adminKeyFile,
    people,
    passwords,
  });
  await disturb(fleet.members);
  const { changes, repeated } = await traffic.end();
  const accepted = (await countChanges(databaseUrl)) - before;
  must(accepted === changes, `${changes} changes were requested, and ${accepted} accepted`);
  const accounts = await verifyAccounts(slapd, people, passwords);
  return [
    `${what}: ${changes} changes were accepted once each and are done; ${repeated} requests had to be repeated; ${accounts} accounts hold the newest password`,
  ];
}

async function countChanges(databaseUrl: string): Promise<number> {
  const client = clientOf({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query('select count(*)::int as changes from change');
    return rows[0].changes;
  } finally {
    await client.end();
  }
}

/** Backs up the database, loses it, and restores it as docs/deploying.md describes. The key folder stays. */
async function restore(
  fleet: Fleet,
  company: Company,
  { workDir, report }: Context,
): Promise<Found> {
  const { postgres, databaseUrl } = company;
  const dump = path.join(workDir, 'backup', 'lockstep.dump');
  mkdirSync(path.dirname(dump));
  report('backing up, losing and restoring the database');
  const env = connectionVariables(databaseUrl, postgres.caFile);
  const program = (name: string) => path.join(postgres.binDir, name);
  await run(program('pg_dump'), ['--format=custom', `--file=${dump}`], { env });
  const changes = await countChanges(databaseUrl);
  await fleet.stop();
  await run(program('dropdb'), ['--force', 'lockstep'], {
    env: { ...env, PGDATABASE: 'postgres' },
  });
  await run(program('createdb'), ['lockstep'], { env: { ...env, PGDATABASE: 'postgres' } });
  await run(program('pg_restore'), ['--dbname=lockstep', dump], { env });
  for (const member of fleet.members) await member.start();
  must((await countChanges(databaseUrl)) === changes, 'the restored database lacks changes');
  const [after = ''] = await underTraffic('after the restore', fleet, company, async () => {
    await new Promise((resolve) => setTimeout(resolve, 3_000));
  });
  return [`a backup of ${changes} changes was restored`, after];
}

/** The password goes by the environment, because anyone on the machine can read arguments. */
function connectionVariables(databaseUrl: string, caFile: string): Record<string, string> {
  const { username, password, port, pathname } = new URL(databaseUrl);
  return {
    PGHOST: '127.0.0.1',
    PGPORT: port,
    PGUSER: username,
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: pathname.slice(1),
    PGSSLMODE: 'verify-ca',
    PGSSLROOTCERT: caFile,
  };
}
