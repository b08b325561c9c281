import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Process ids by the name that the table shows. */
export type Watched = Readonly<Record<string, number>>;

/** CPU milliseconds by the name of the process. */
export type Cost = Readonly<Record<string, number>>;

const hasProc = existsSync('/proc/self/stat');

/** Linux counts CPU time in hundredths of a second on every platform of Node (`getconf CLK_TCK`). */
const TICK_MS = 10;

/**
 * CPU time of processes so far, from proc(5); empty if there is no /proc. It includes child processes, because PostgreSQL has one
 * for each connection, except those of this process, which are listed themselves. It includes threads that have ended, which
 * /proc/PID/task/TID/schedstat forgets: Node starts one for each call of `vm` with a timeout.
 */
export function costOf(watched: Watched): Cost {
  if (!hasProc) return {};
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => statOf(Number(pid)));
  return Object.fromEntries(
    Object.entries(watched).map(([name, pid]) => [
      name,
      all
        .filter((stat) => stat.pid === pid || (stat.parent === pid && pid !== process.pid))
        .reduce((sum, stat) => sum + stat.cpuMs, 0),
    ]),
  );
}

export const costSince = (before: Cost, now: Cost): Cost =>
  Object.fromEntries(Object.entries(now).map(([name, ms]) => [name, ms - (before[name] ?? 0)]));

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** CPU time of the process and of its children that have ended. */
  readonly cpuMs: number;
}

function statOf(pid: number): Stat[] {
  const text = readIfThere(`/proc/${pid}/stat`);
  if (text === null) return [];
  // The name in parentheses may contain any character. After it come: state ppid … utime stime cutime cstime.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return [{ pid, parent: Number(fields[1]), cpuMs: ticks * TICK_MS }];
}

export interface Memory {
  readonly nowMiB: number;
  readonly mostMiB: number;
}

/** Current and highest memory of a process; null if it cannot be read. */
export function memoryOf(pid: number): Memory | null {
  const status = readIfThere(`/proc/${pid}/status`);
  if (status === null) return null;
  const mib = (field: string) =>
    Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024);
  return { nowMiB: mib('VmRSS'), mostMiB: mib('VmHWM') };
}

/** Reads a file; null if it is gone, because processes may end at any time. */
function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
