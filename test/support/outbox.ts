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

/** The engines, each with the server of the run. */
export const outboxEngines = [
  ['postgres', 'postgres'],
  ['mysql', 'mariadb'],
] as const;

export interface Told {
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

/** Tables of an application with an outbox each, for the tests of a suite; what they open is closed after each. */
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
    const poller = await outbox.open(settings, { resolve, place: placeAt(null), wake });
    pollers.add(poller);
    return poller;
  }

  return { application: () => application, connect, captured, open };
}

/** A page; not acknowledged. */
export async function look(poller: Poller) {
  const page = await poller.read();
  const told = page.captures.map(({ account, password, hashed, capturedAt, sequence }): Told => {
    const value = password.use((bytes) => bytes.toString('utf8'));
    password.destroy();
    return { account, value, hashed, at: capturedAt?.getTime() ?? 0, sequence: sequence ?? '' };
  });
  return { page, told };
}

export async function readAll(poller: Poller): Promise<Told[]> {
  const all: Told[] = [];
  for (let more = true; more; ) {
    const { page, told } = await look(poller);
    await poller.acknowledge(page);
    all.push(...told);
    more = page.more;
  }
  return all;
}

/** Account and value of each. */
export const inPairs = (told: readonly Told[]) =>
  told.map(({ account, value }) => [account, value]);

export const readPairs = async (poller: Poller) => inPairs(await readAll(poller));

export function placeAt(start: string | null): Checkpoint {
  let place = start;
  return {
    current: () => place,
    moveTo: async (next) => {
      place = next;
    },
  };
}
