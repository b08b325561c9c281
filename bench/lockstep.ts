import { serviceDn } from '../local/demo/directories';
import type { Slapd } from '../local/slapd';
import type { Refresh } from '../model/api/job-results';
import type { Job, JobAccepted } from '../model/api/jobs';
import { type Call, caller } from './call';
import type { SecretFiles } from './directories';
import {
  accountsOf,
  type BenchPerson,
  crowd,
  everybody,
  owners,
  randomPassword,
  type Size,
  type SourceName,
  suffixes,
} from './people';
import type { Watched } from './processes';
import { inTurn, type Load, type Round, runRound, timed } from './round';

/** Lockstep in the comparison, driven and timed by a client of its HTTP API. */
export interface LockstepSide {
  /** Turns proofs by a login on or off. */
  configure(prove: boolean): Promise<void>;
  /**
   * Runs a round of changes.
   * @param until `end` times whole changes, `auth` times until the verdict about the auth account. In both cases a change ends
   *   before the next one of its lane starts, so that the number in flight is exact
   */
  round(until: 'end' | 'auth', load: Load): Promise<Round>;
  /** Changes the person with `size` accounts. @returns milliseconds */
  changeOwner(size: Size): Promise<number>;
  /** Starts a change of each of these people, `POSTS_AT_ONCE` at the same time, and waits for none. */
  post(people: readonly BenchPerson[]): Promise<void>;
  /** Id of the last change of the crowd or of the person with this many accounts. */
  lastChange(of: 'crowd' | Size): string;
}

export interface LockstepSetup {
  readonly apiUrl: string;
  readonly adminKeyFile: string;
  readonly slapd: Slapd;
  readonly secretFiles: SecretFiles;
  readonly watched: Watched;
  /** Everybody of the comparison without it. */
  readonly people?: readonly BenchPerson[];
  /** The source that only a bound worker asks. */
  readonly isolated?: SourceName;
  /** The URL of a source, if it is not that of slapd. */
  readonly urls?: Partial<Record<SourceName, string>>;
}

const POSTS_AT_ONCE = 8;

export async function openLockstep(setup: LockstepSetup): Promise<LockstepSide> {
  const call = caller(setup.apiUrl, setup.adminKeyFile);
  const { people = everybody } = setup;
  const queue = [...(setup.people ?? crowd)];
  const last = new Map<'crowd' | Size, string>();

  const change = async ({ name }: BenchPerson, of: 'crowd' | Size): Promise<void> => {
    last.set(of, await finished(await post(name, 'wait=60')));
  };
  const post = (identity: string, prefer: string) =>
    call('POST', 'changes', { identity, password: randomPassword() }, { prefer });
  const changeInTwo = async ({ name }: BenchPerson): Promise<number> => {
    const began = performance.now();
    const { id } = (await post(name, 'wait=60, until=auth')) as { id: string };
    const verdictMs = performance.now() - began;
    await finished(await call('GET', `changes/${id}?wait=60`));
    return verdictMs;
  };

  const side: LockstepSide = {
    async configure(prove) {
      const { version } = (await call('GET', 'configuration')) as { version: number };
      const document = configuration(setup, prove);
      await call('POST', 'configuration/apply', { document, version });
    },
    round: (until, load) =>
      runRound(load, { ...setup.watched, client: process.pid }, () =>
        inTurn(queue, (person) =>
          until === 'auth' ? changeInTwo(person) : timed(() => change(person, 'crowd')),
        ),
      ),
    changeOwner: (size) => timed(() => change(owners[size], size)),
    async post(people) {
      const waiting = people.values();
      const lane = async () => {
        for (const { name } of waiting) await post(name, 'wait=0');
      };
      await Promise.all(Array.from({ length: POSTS_AT_ONCE }, lane));
    },
    lastChange: (of) => last.get(of) ?? '',
  };
  await side.configure(true);
  for (const person of people) await addPerson(call, person);
  for (const source of ['corp', 'apps'] as const) await refresh(call, source);
  return side;
}

/** Checks that a change is done. @returns its id @throws Error if not every account holds the new password */
async function finished(answer: unknown): Promise<string> {
  const { id, state } = answer as { id: string; state: string };
  if (state !== 'done') throw new Error(`${id} is ${state}, not done: the numbers would be wrong`);
  return id;
}

const configuration = (
  { slapd, secretFiles, isolated, urls = {} }: LockstepSetup,
  prove: boolean,
) => ({
  version: 1,
  sources: Object.fromEntries(
    (['corp', 'apps'] as const).map((name) => [
      name,
      {
        ...source({ ...slapd, url: urls[name] ?? slapd.url }, name, secretFiles, prove),
        ...(name === isolated && { isolated: true }),
      },
    ]),
  ),
  policies: { everyone: { minLength: 15 } },
  groups: { all: { policy: 'everyone', authSource: 'corp', sources: ['corp', 'apps'] } },
});

/** The settings of a source. `write: modify` takes one request an account, like the bare loop. */
const source = ({ url, caFile }: Slapd, name: SourceName, files: SecretFiles, prove: boolean) => ({
  kind: 'ldap',
  prove: prove ? 'always' : 'never',
  multipleAccountPasswordSync: true,
  settings: {
    url,
    ca: caFile,
    serverName: 'localhost',
    bindDn: serviceDn(suffixes[name]),
    bindPassword: `\${file:${files[name]}}`,
    base: `ou=people,${suffixes[name]}`,
    write: 'modify',
  },
});

/** Lets Lockstep learn the ids of the accounts, as in an installation that refreshes its sources. */
async function refresh(call: Call, source: SourceName): Promise<void> {
  const { job } = (await call('POST', `sources/${source}/refresh`, {})) as JobAccepted;
  for (;;) {
    const { state, result } = (await call('GET', `jobs/${job}?wait=60`)) as Job;
    if (state === 'open') continue;
    const { failed } = result as Refresh;
    if (failed === null) return;
    throw new Error(`Lockstep could not refresh ${source}: ${failed}`);
  }
}

/** Maximum number of accounts in one request of the api. */
const AT_ONCE = 1000;

async function addPerson(call: Call, person: BenchPerson): Promise<void> {
  const accounts = accountsOf(person).map(({ source, dn }) => ({
    source,
    name: dn,
    primary: dn === person.auth.dn,
  }));
  for (let from = 0; from < accounts.length; from += AT_ONCE)
    await call('PUT', `identities/${person.name}`, {
      accounts: accounts.slice(from, from + AT_ONCE),
    });
}
