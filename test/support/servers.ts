import { readFileSync } from 'node:fs';

/**
 * Facts about a real server that the test run shares, such as its URL. `global-setup.ts` runs each starter once and writes the
 * facts to a file; tests read them with `server('slapd')`. For a server that this machine cannot run, the file has the reason.
 */
export type ServerFacts = Readonly<Record<string, string>>;

export interface ServerStarter {
  readonly name: string;
  /** Starts the server. @throws CannotBeHad if this machine cannot run it */
  readonly start: (dir: string, report: (line: string) => void) => Promise<StartedServer>;
}

export interface StartedServer {
  readonly facts: ServerFacts;
  readonly stop: () => Promise<void>;
}

/** A server cannot run on this machine. The reason is printed at the start of the run and in the title of each skipped suite. */
export class CannotBeHad extends Error {}

type Known = Readonly<Record<string, { facts: ServerFacts } | { skipped: string }>>;

export const FACTS_VARIABLE = 'LOCKSTEP_TEST_SERVERS';

const known = (): Known => JSON.parse(readFileSync(process.env[FACTS_VARIABLE] ?? '', 'utf8'));

/** The facts of a server. @throws Error if this machine cannot run it: use `describeWith` for the suite */
export function server(name: string): ServerFacts {
  const entry = known()[name];
  if (entry === undefined || 'skipped' in entry) throw new Error(`No ${name} in this run`);
  return entry.facts;
}

/** `describe` for a suite that needs servers. If one is missing, the suite is skipped with the reason in its title. */
export function describeWith(names: readonly string[], title: string, suite: () => void): void {
  const reasons = names.flatMap((name) => {
    const entry = known()[name];
    return entry !== undefined && 'skipped' in entry ? [entry.skipped] : [];
  });
  if (reasons.length === 0) describe(title, suite);
  else describe.skip(`${title} (skipped: ${reasons.join('; ')})`, suite);
}
