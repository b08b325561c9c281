import { readFileSync } from 'node:fs';

/**
 * The real servers that a test run shares. `global-setup.ts` starts each starter once and writes its facts to a file;
 * tests read them with `server('slapd')`. A server that cannot be had here is a reason instead.
 */
export type ServerFacts = Readonly<Record<string, string>>;

export interface ServerStarter {
  readonly name: string;
  /** Throws `CannotBeHad` where this machine cannot run it. */
  readonly start: (dir: string, report: (line: string) => void) => Promise<StartedServer>;
}

export interface StartedServer {
  readonly facts: ServerFacts;
  readonly stop: () => Promise<void>;
}

/** The reason why a server is skipped, said aloud at the start of the run and by each test that needs it. */
export class CannotBeHad extends Error {}

type Known = Readonly<Record<string, { facts: ServerFacts } | { skipped: string }>>;

export const FACTS_VARIABLE = 'LOCKSTEP_TEST_SERVERS';

const known = (): Known => JSON.parse(readFileSync(process.env[FACTS_VARIABLE] ?? '', 'utf8'));

/** @throws Error when this machine cannot run the server: guard the suite with `describeWith`. */
export function server(name: string): ServerFacts {
  const entry = known()[name];
  if (entry === undefined || 'skipped' in entry) throw new Error(`No ${name} in this run`);
  return entry.facts;
}

/** `describe` for a suite that needs these servers; skipped, with the reason in its title, where one cannot be had. */
export function describeWith(names: readonly string[], title: string, suite: () => void): void {
  const reasons = names.flatMap((name) => {
    const entry = known()[name];
    return entry !== undefined && 'skipped' in entry ? [entry.skipped] : [];
  });
  if (reasons.length === 0) describe(title, suite);
  else describe.skip(`${title} (skipped: ${reasons.join('; ')})`, suite);
}
