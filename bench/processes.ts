import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** What processes cost, from proc(5); nothing where there is no such thing. */

/** By the name that the table shows. */
export type Watched = Readonly<Record<string, number>>;

/** CPU milliseconds by name. */
export type Cost = Readonly<Record<string, number>>;

const canTell = existsSync('/proc/self/stat');

/** Linux counts in hundredths of a second on every platform that Node runs on (`getconf CLK_TCK`). */
const TICK_MS = 10;

/** So far, with their children, because PostgreSQL has a process for each connection; ours are the others. */
export function costOf(watched: Watched): Cost {
  if (!canTell) return {};
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => statOf(Number(pid)));
  return Object.fromEntries(
    Object.entries(watched).map(([name, pid]) => [
      name,
      all
        .filter((one) => one.pid === pid || (one.parent === pid && pid !== process.pid))
        .reduce((sum, one) => sum + one.cpuMs, 0),
    ]),
  );
}

export const costSince = (before: Cost, now: Cost): Cost =>
  Object.fromEntries(Object.entries(now).map(([name, ms]) => [name, ms - (before[name] ?? 0)]));

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Its own, and that of children that have ended. */
  readonly cpuMs: number;
}

function statOf(pid: number): Stat[] {
  const text = readIfThere(`/proc/${pid}/stat`);
  if (text === null) return [];
  // The name in parentheses may hold anything; what follows it is numbers: state ppid … utime stime cutime cstime.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return [{ pid, parent: Number(fields[1]), cpuMs: ticks * TICK_MS }];
}

export interface Memory {
  readonly nowMiB: number;
  readonly mostMiB: number;
}

/** Null where it cannot be told. */
export function memoryOf(pid: number): Memory | null {
  const status = readIfThere(`/proc/${pid}/status`);
  if (status === null) return null;
  const mib = (field: string) =>
    Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024);
  return { nowMiB: mib('VmRSS'), mostMiB: mib('VmHWM') };
}

/** Processes come and go while we look. */
function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
