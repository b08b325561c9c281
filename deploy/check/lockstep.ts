import { openLockstep } from '../../bench/lockstep';
import { type RunningServer, startServer } from '../../local/processes';
import { timeLimit } from '../../time-limit';
import type { Company } from './company';

/** A process of Lockstep that a check starts in the way that is to be checked. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly opsPort: number;
}

const READY_TIMEOUT_MS = 60_000;

/** Starts a process and waits until its `/readyz` answers 200. */
export const startProcess = ({ opsPort, ...spec }: ProcessSpec): Promise<RunningServer> =>
  startServer({
    ...spec,
    stopSignal: 'SIGTERM',
    listeners: [],
    ready: () => isReady(opsPort),
    readyTimeoutMs: READY_TIMEOUT_MS,
  });

export const isReady = (opsPort: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${opsPort}/readyz`, { signal: timeLimit(2_000) }).then(
    (answer) => answer.ok,
    () => false,
  );

/**
 * Configures both sources, links the people, and changes passwords for two seconds.
 * @param files paths as the worker sees them
 * @returns the number of changes, each of which has reached all five accounts
 */
export async function changePasswords(
  { slapd, people }: Company,
  api: { readonly apiUrl: string; readonly adminKeyFile: string },
  files: { readonly caFile: string; readonly secretFiles: Company['secretFiles'] },
): Promise<number> {
  const side = await openLockstep({
    ...api,
    slapd: { ...slapd, caFile: files.caFile },
    secretFiles: files.secretFiles,
    people,
    watched: {},
  });
  return (await side.round('end', { inFlight: 2, windowMs: 2_000 })).changes;
}
