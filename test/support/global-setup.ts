import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isRoot } from '../../local/places';
import { CannotBeHad, FACTS_VARIABLE, type ServerStarter, type StartedServer } from './servers';
import { apacheds } from './servers/apacheds';
import { ds389 } from './servers/ds389';
import { mariadb } from './servers/mariadb';
import { nginx } from './servers/nginx';
import { postgres } from './servers/postgres';
import { promtool } from './servers/promtool';
import { samba } from './servers/samba';
import { slapd } from './servers/slapd';
import { temporal, timeSkipping } from './servers/temporal';
import { unboundid } from './servers/unboundid';
import { windows } from './servers/windows';
import { workflows } from './servers/workflows';

/** Every server that a run shares. */
const starters: readonly ServerStarter[] = [
  slapd,
  ds389,
  unboundid,
  apacheds,
  samba,
  temporal,
  timeSkipping,
  postgres,
  mariadb,
  nginx,
  windows,
  workflows,
  promtool,
];

export const started: StartedServer[] = [];
export const run = { dir: '' };

export default async function globalSetup(): Promise<void> {
  const dir = runDir();
  run.dir = dir;
  const report = (line: string) => process.stderr.write(`${line}\n`);
  const entries = await Promise.all(
    starters.map((starter) =>
      isWanted(starter.name) ? startOne(starter, dir, report) : notWanted(starter.name),
    ),
  );
  const file = path.join(dir, 'servers.json');
  writeFileSync(file, JSON.stringify(Object.fromEntries(entries), null, 2), { mode: 0o600 });
  process.env[FACTS_VARIABLE] = file;
}

/** `LOCKSTEP_TEST_SERVERS=postgres,slapd` starts these alone; tests that need another one are skipped. */
const isWanted = (name: string): boolean =>
  process.env.LOCKSTEP_TEST_SERVERS?.split(',').includes(name) ?? true;

const notWanted = (name: string) => [name, { skipped: 'LOCKSTEP_TEST_SERVERS leaves it out' }];

/** The folder of the run. Servers that run as the user nobody must be able to enter it, whatever user owns the clone. */
function runDir(): string {
  const dir = mkdtempSync(path.join(isRoot ? '/var/tmp' : os.tmpdir(), 'lockstep-test-'));
  chmodSync(dir, 0o755);
  return dir;
}

async function startOne(starter: ServerStarter, dir: string, report: (line: string) => void) {
  try {
    const server = await starter.start(path.join(dir, starter.name), report);
    started.push(server);
    return [starter.name, { facts: server.facts }];
  } catch (error) {
    if (!(error instanceof CannotBeHad)) throw error;
    report(`SKIPPED: every test that needs ${starter.name}: ${error.message}`);
    return [starter.name, { skipped: error.message }];
  }
}
