import { readFileSync } from 'node:fs';

/** The settings of a systemd unit that a check uses to start the process as systemd would. */
export interface Unit {
  readonly user: string;
  readonly environmentFile: string;
  readonly start: readonly string[];
  /** Commands that follow the start. */
  readonly startPost: readonly (readonly string[])[];
  readonly inaccessible: readonly string[];
}

/** @param instance what a unit with `@` in its name is started for */
export function readUnit(file: string, instance = ''): Unit {
  const lines = readFileSync(file, 'utf8').replaceAll('%i', instance).split('\n');
  const all = (key: string) =>
    lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
  const one = (key: string) => {
    const [value] = all(key);
    if (value === undefined) throw new Error(`${file} has no ${key}`);
    return value;
  };
  return {
    user: one('User'),
    environmentFile: one('EnvironmentFile'),
    start: one('ExecStart').split(' '),
    startPost: all('ExecStartPost').map((command) => command.split(' ')),
    inaccessible: pathsIn(all('InaccessiblePaths')),
  };
}

/** Paths without the hyphen of those that may be missing. */
const pathsIn = (lists: readonly string[]): string[] =>
  lists.flatMap((list) => list.split(' ')).map((entry) => entry.replace(/^-/, ''));

/** The variables of an environment file of systemd or compose: a line each, comments left out. */
export function readEnvironmentFile(text: string): Record<string, string> {
  const assignments = text.split('\n').filter((line) => /^[A-Z][A-Z0-9_]*=/.test(line));
  return Object.fromEntries(
    assignments.map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

/** The text with the given variables set, in place of an assignment or a comment of the same variable, or at the end. */
export function withVariables(text: string, values: Readonly<Record<string, string>>): string {
  const left = new Map(Object.entries(values));
  const lines = text.split('\n').map((line) => {
    const name = /^#?([A-Z][A-Z0-9_]*)=/.exec(line)?.[1];
    const value = name === undefined ? undefined : left.get(name);
    if (name === undefined || value === undefined) return line;
    left.delete(name);
    return `${name}=${value}`;
  });
  return [...lines, ...[...left].map(([name, value]) => `${name}=${value}`), ''].join('\n');
}
