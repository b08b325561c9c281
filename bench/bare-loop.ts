import { readFileSync } from 'node:fs';
import { Attribute, Change, Client } from 'ldapts';
import { serviceDn } from '../local/demo/directories';
import type { BareOrder, BareResult, BareSetup } from './bare';
import {
  type BenchAccount,
  type BenchPerson,
  crowd,
  owners,
  randomPassword,
  type SourceName,
  sourceNames,
  suffixes,
} from './people';
import { inTurn, runRound, timed } from './round';

/**
 * The bare loop: pooled connections and a loop that sets passwords, as a simple script would. It stores nothing, so unfinished
 * work is lost when it ends. It runs in its own process so that its CPU time can be measured separately.
 */

/** Number of connections for writes, and again for logins. It is the default of Lockstep's connector. */
const POOL_SIZE = 8;
/** Number of accounts that are written in parallel, the same as in Lockstep. */
const AT_ONCE = 16;

let loop: ReturnType<typeof openLoop> | null = null;

process.on('message', async (message: BareSetup | BareOrder) => {
  if ('url' in message) {
    loop = openLoop(message);
  } else if (loop !== null) {
    const result: BareResult =
      'load' in message
        ? await loop.round(message.prove, message.load)
        : await loop.changeOwner(message.prove, message.size);
    process.send?.(result);
  }
});
process.once('disconnect', () => process.exit());

function openLoop(setup: BareSetup) {
  const queue = [...crowd];
  const sources = Object.fromEntries(
    sourceNames.map((source) => [source, openSource(setup, source)]),
  ) as Record<SourceName, Source>;

  const write = async ({ source, dn }: BenchAccount, password: string, prove: boolean) => {
    const { services, proofs } = sources[source];
    await services.use((client) => client.modify(dn, replacing(password)));
    if (prove) await proofs.use((client) => client.bind(dn, password));
  };
  const change = async ({ auth, others }: BenchPerson, prove: boolean): Promise<void> => {
    const password = randomPassword();
    await write(auth, password, prove);
    await sideBySide(others, (account) => write(account, password, prove));
  };

  return {
    round: (prove: boolean, load: Extract<BareOrder, { load: unknown }>['load']) =>
      runRound(load, { ...setup.watched, 'bare loop': process.pid }, () =>
        inTurn(queue, (person) => timed(() => change(person, prove))),
      ),
    changeOwner: (prove: boolean, size: keyof typeof owners) =>
      timed(() => change(owners[size], prove)),
  };
}

const replacing = (password: string): Change =>
  new Change({
    operation: 'replace',
    modification: new Attribute({ type: 'userPassword', values: [password] }),
  });

async function sideBySide<Item>(items: readonly Item[], work: (item: Item) => Promise<void>) {
  const queue = [...items];
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

interface Source {
  readonly services: Pool;
  readonly proofs: Pool;
}

function openSource({ url, caFile, secretFiles }: BareSetup, source: SourceName): Source {
  const tlsOptions = { ca: readFileSync(caFile), servername: 'localhost' };
  const open = async () => new Client({ url, tlsOptions });
  const openService = async () => {
    const client = await open();
    await client.bind(serviceDn(suffixes[source]), readFileSync(secretFiles[source], 'utf8'));
    return client;
  };
  return { services: poolOf(openService), proofs: poolOf(open) };
}

interface Pool {
  use(request: (client: Client) => Promise<unknown>): Promise<void>;
}

function poolOf(open: () => Promise<Client>): Pool {
  const idle: Client[] = [];
  const waiting: ((client: Client) => void)[] = [];
  let opened = 0;
  const acquire = async (): Promise<Client> => {
    const free = idle.pop();
    if (free !== undefined) return free;
    if (opened++ < POOL_SIZE) return open();
    return new Promise((resolve) => waiting.push(resolve));
  };
  return {
    async use(request) {
      const client = await acquire();
      await request(client);
      const next = waiting.shift();
      if (next === undefined) idle.push(client);
      else next(client);
    },
  };
}
