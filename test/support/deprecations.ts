import { existsSync, readFileSync } from 'node:fs';

/** Whether a warning of Node is about a call of the driver of PostgreSQL that its next version refuses. */
export const isDriverDeprecation = (text: string): boolean =>
  /DeprecationWarning: .*\bpg\b/.test(text);

/** @throws Error with the warning when a process of Lockstep has printed one into its log */
export function refuseDeprecations(logFile: string): void {
  if (!existsSync(logFile)) return;
  const warning = readFileSync(logFile, 'utf8').split('\n').find(isDriverDeprecation);
  if (warning !== undefined) throw new Error(`${logFile}: ${warning}`);
}
