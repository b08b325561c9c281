import { readFileSync } from 'node:fs';
import os from 'node:os';
import { release } from '../../release';
import { timeLimit } from '../../time-limit';
import { examineApi, examineSource } from '../doctor';
import type { Sources } from '../http/answers';
import type { Api } from '../http/api';
import type { SupportPlaces } from '../http/connection';
import { logLines } from './log-lines';

/** One file of the bundle. */
export interface Part {
  readonly name: string;
  readonly content: string;
}

/** A file that could not be made, with the reason. A bundle is most useful when something does not work. */
export interface MissingPart {
  readonly name: string;
  readonly why: string;
}

export interface Gathering {
  /** Null when the API cannot be reached or there is no key. */
  readonly api: Api | null;
  readonly places: SupportPlaces;
  readonly withNames: boolean;
}

type Read = (api: Api) => Promise<unknown>;

const CHANGES = 100;

/** The files that come from the API, by their name. */
const fromApi = (withNames: boolean): Readonly<Record<string, Read>> => ({
  'api.json': (api) => api.get(['diagnostics']),
  'presence.json': (api) => api.get(['presence']),
  'configuration.json': (api) => api.get(['configuration']),
  'doctor.json': examine,
  'sources.json': (api) => api.get(['sources']),
  'captures.json': (api) => api.get(['captures']),
  'relays.json': (api) => api.get(['relays']),
  'changes.json': async (api) => {
    const { changes } = await api.get<{ changes: Named[] }>(['changes'], {
      query: { limit: CHANGES },
    });
    return withNames ? changes : changes.map(withoutNames);
  },
  'stale.json': async (api) => {
    const { stale } = await api.get<{ stale: Named[] }>(['stale'], { query: { limit: CHANGES } });
    return withNames ? stale : stale.map(withoutNames);
  },
});

type Named = Readonly<Record<string, unknown>>;

/** Removes the members that name a person, an account or the one who asked for a change. */
function withoutNames({ identity, account, requestedBy, links, ...others }: Named): Named {
  return others;
}

async function examine(api: Api): Promise<unknown> {
  const { sources } = await api.get<Sources>(['sources']);
  const ofSources = await Promise.all(
    sources.map(async ({ name }) => [name, await examineSource(api, name)] as const),
  );
  return { api: await examineApi(api), sources: Object.fromEntries(ofSources) };
}

/** Makes every file that can be made. */
export async function gather({ api, places, withNames }: Gathering) {
  const parts: Part[] = [];
  const missing: MissingPart[] = [];
  const add = async (name: string, read: () => Promise<string>) => {
    try {
      parts.push({ name, content: await read() });
    } catch (error) {
      missing.push({ name, why: (error as Error).message });
    }
  };
  await add('command-line.json', async () =>
    asJson({
      release: release(),
      node: process.version,
      system: `${os.platform()} ${os.release()}`,
    }),
  );
  for (const [name, read] of Object.entries(fromApi(withNames)))
    await add(name, async () => {
      if (api === null) throw new Error('the API cannot be used');
      return asJson(await read(api));
    });
  for (const [index, url] of places.ops.entries())
    for (const page of ['readyz', 'metrics'])
      await add(`process-${index + 1}-${page}.txt`, () => textAt(`${url}/${page}`));
  for (const [index, file] of places.logs.entries())
    await add(`log-${index + 1}.jsonl`, async () =>
      logLines(readFileSync(file, 'utf8'), withNames),
    );
  return { parts, missing };
}

const asJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const TIMEOUT_MS = 10_000;

async function textAt(url: string): Promise<string> {
  const response = await fetch(url, { signal: timeLimit(TIMEOUT_MS) }).catch(() => null);
  if (response === null) throw new Error(`nothing answers at ${url}`);
  return `${response.ok ? '' : `HTTP ${response.status}\n`}${await response.text()}`;
}
