import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'ldapts';
import { accountsOf, type BenchPerson } from '../../bench/people';
import type { Slapd } from '../../local/slapd';
import { must } from './report';

/** Changes that a client keeps requesting while processes are killed. */
export interface Traffic {
  /** Ends after the changes that are under way. @throws Error if a change did not reach every account */
  end(): Promise<Counts>;
}

export interface Counts {
  readonly changes: number;
  /** Requests that failed once and succeeded when they were repeated. */
  readonly repeated: number;
}

const LANES = 4;
const RETRY_MS = 250;
const PATIENCE_MS = 90_000;

interface Target {
  readonly urls: readonly string[];
  readonly adminKeyFile: string;
  readonly people: readonly BenchPerson[];
  /** Receives the newest password of each person. */
  readonly passwords: Map<string, string>;
}

/** Starts clients that change the password of one person after the other, through all apis in turn. */
export function startTraffic({ urls, adminKeyFile, people, passwords }: Target): Traffic {
  const authorization = `Bearer ${readFileSync(adminKeyFile, 'utf8').trim()}`;
  const queues = Array.from({ length: LANES }, (_, lane) =>
    people.filter((_person, index) => index % LANES === lane),
  );
  const counts = { changes: 0, repeated: 0 };
  let over = false;
  let turn = 0;

  /** Sends a request until an api answers it, each time to the next api, as a load balancer does. */
  const send = async (path: string, init: RequestInit): Promise<{ id: string; state: string }> => {
    const end = Date.now() + PATIENCE_MS;
    for (let tries = 0; ; tries++) {
      const url = urls[turn++ % urls.length];
      const answer = await fetch(`${url}/v1/${path}`, {
        ...init,
        headers: { authorization, ...init.headers },
      }).catch(() => null);
      if (answer?.ok) return (await answer.json()) as { id: string; state: string };
      if (tries === 0) counts.repeated++;
      const body = await answer?.text().catch(() => '');
      if (answer !== null && answer.status < 500)
        throw new Error(`${path}: ${answer.status} ${body}`);
      must(Date.now() < end, `${path} got no answer within ${PATIENCE_MS / 1000} s`);
      await sleep(RETRY_MS);
    }
  };
  const change = async (identity: string): Promise<void> => {
    const password = randomUUID();
    const started = await send('changes', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
        prefer: 'wait=20',
      },
      body: JSON.stringify({ identity, password }),
    });
    const end = Date.now() + PATIENCE_MS;
    let { state } = started;
    while (state !== 'done') {
      must(
        !['refused', 'failed', 'partial', 'expired', 'cancelled'].includes(state),
        `${started.id} is ${state}`,
      );
      must(Date.now() < end, `${started.id} is still ${state} after ${PATIENCE_MS / 1000} s`);
      ({ state } = await send(`changes/${started.id}?wait=20`, {}));
    }
    passwords.set(identity, password);
    counts.changes++;
  };
  const lane = async (own: readonly BenchPerson[]) => {
    for (let at = 0; !over; at++) await change(own[at % own.length]?.name ?? '');
  };
  const lanes = Promise.all(queues.map(lane));
  // The error comes out at the end. Until then it must not count as unhandled.
  lanes.catch(() => {
    over = true;
  });
  return {
    async end() {
      over = true;
      await lanes;
      return counts;
    },
  };
}

/** Logs in to every account of every person with the newest password. @returns the number of accounts */
export async function verifyAccounts(
  { url, caFile }: Slapd,
  people: readonly BenchPerson[],
  passwords: ReadonlyMap<string, string>,
): Promise<number> {
  let accounts = 0;
  const tlsOptions = { ca: readFileSync(caFile), servername: 'localhost' };
  for (const person of people) {
    const password = passwords.get(person.name);
    if (password === undefined) continue;
    for (const { dn } of accountsOf(person)) {
      const client = new Client({ url, tlsOptions });
      try {
        await client.bind(dn, password);
      } catch {
        throw new Error(`${dn} does not hold the newest password of ${person.name}`);
      } finally {
        await client.unbind();
      }
      accounts++;
    }
  }
  return accounts;
}
