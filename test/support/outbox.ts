import type { OutboxSetup } from '../../capture/polling/outbox/names';
import { outbox } from '../../capture/polling/outbox/outbox';
import { setUpOutbox } from '../../capture/polling/outbox/setup';
import type { Checkpoint, Poller } from '../../capture/polling/poller';
import { quoted } from '../../connectors/sql/identifiers';
import { Secret } from '../../model/passwords/secret';
import {
  type Application,
  type ApplicationSession,
  applications,
  RELAY_PASSWORD,
} from './application';

/** Each engine with the name of its test server. */
export const outboxEngines = [
  ['postgres', 'postgres'],
  ['mysql', 'mariadb'],
] as const;

/** A capture as a poller read it, with its password as text. */
export interface ReadChange {
  readonly account: string;
  readonly value: string;
  readonly hashed: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly sequence: string;
}

interface WantedTable {
  readonly table?: string;
  readonly accountColumn?: string;
  readonly passwordColumn?: string;
}

/** For a test suite: creates application tables with an outbox each, and closes sessions and pollers after each test. */
export function outboxBench(engine: 'postgres' | 'mysql') {
  let application: Application;
  const pollers = new Set<Poller>();
  const sessions = new Set<ApplicationSession>();
  let tables = 0;

  beforeAll(async () => {
    application = await applications[engine]();
  });
  afterEach(async () => {
    for (const poller of pollers) await poller.close();
    for (const session of sessions) await session.end();
    pollers.clear();
    sessions.clear();
  });
  afterAll(() => application.close());

  const quote = quoted[engine];
  async function connect(as: 'user' | 'relay' = 'user') {
    const session = await application.connect(as);
    sessions.add(session);
    return session;
  }

  async function captured(wanted: WantedTable = {}) {
    const { table = `people_${++tables}` } = wanted;
    const { accountColumn = 'login', passwordColumn = 'hash' } = wanted;
    const { schema, relay: role, user } = application;
    const name = `${quote(schema)}.${quote(table)}`;
    const [account, password] = [quote(accountColumn), quote(passwordColumn)];
    const text = engine === 'mysql' ? 'text character set utf8mb4' : 'text';
    const key = engine === 'mysql' ? 'varchar(100) character set utf8mb4' : 'varchar(100)';
    await application.script(
      `create table ${name} (${account} ${key} primary key, ${password} ${text}, note text);
       grant select, insert, update, delete on ${name} to ${user};`,
    );
    const inQuotes = [schema, table].map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
    const setup = setUpOutbox({ engine, table: inQuotes, accountColumn, passwordColumn, role });
    await application.script(setup.sql);
    const session = await connect();
    const setFor = (who: string, to: string | null, by = session) =>
      by.run(`update ${name} set ${password} = ? where ${account} = ?`, [to, who]);
    const add = (who: string, first: string | null, by = session) =>
      by.run(`insert into ${name} (${account}, ${password}) values (?, ?)`, [who, first]);
    const kept = `${quote(schema)}.${quote(setup.poll.settings.table)}`;
    return { table, name, kept, setup, session, setFor, add };
  }

  async function open(
    { poll }: Pick<OutboxSetup, 'poll'>,
    more: object = {},
    wake = () => {},
  ): Promise<Poller> {
    const resolve = () => Secret.fromText(RELAY_PASSWORD);
    const wanted = { ...poll.settings, ...application.endpoint(), ...more };
    const settings = outbox.settings.parse(wanted);
    const poller = await outbox.open(settings, { resolve, checkpoint: checkpointAt(null), wake });
    pollers.add(poller);
    return poller;
  }

  return { application: () => application, connect, captured, open };
}

/** Reads a page without acknowledging it. */
export async function look(poller: Poller) {
  const page = await poller.read();
  const changes = page.captures.map((capture): ReadChange => {
    const { account, password, hashed, capturedAt, sequence } = capture;
    const value = password.use((bytes) => bytes.toString('utf8'));
    password.destroy();
    return { account, value, hashed, at: capturedAt?.getTime() ?? 0, sequence: sequence ?? '' };
  });
  return { page, changes };
}

/** Reads and acknowledges all pages. */
export async function readAll(poller: Poller): Promise<ReadChange[]> {
  const all: ReadChange[] = [];
  for (let more = true; more; ) {
    const { page, changes } = await look(poller);
    await poller.acknowledge(page);
    all.push(...changes);
    more = page.more;
  }
  return all;
}

/** Account and value of each change. */
export const inPairs = (changes: readonly ReadChange[]) =>
  changes.map(({ account, value }) => [account, value]);

export const readPairs = async (poller: Poller) => inPairs(await readAll(poller));

/** A checkpoint in memory. */
export function checkpointAt(start: string | null): Checkpoint {
  let saved = start;
  return {
    current: () => saved,
    moveTo: async (next) => {
      saved = next;
    },
  };
}
