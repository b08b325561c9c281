import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { compileForWindows, type Windows, windowsPath } from './windows';

const SOURCE = path.resolve(__dirname, '../../capture/shims/windows/lockstep_notify');
export const SUPPORT = path.resolve(__dirname, 'windows');

export const sids = {
  localSystem: 'S-1-5-18',
  administrators: 'S-1-5-32-544',
  somebody: 'S-1-5-21-1-2-3-1105',
} as const;

/** Null where LSASS has no string at all. */
export type Call = readonly [user: string | null, password: string | null];

export interface Answer {
  readonly accepted: number;
  readonly answer: number;
  readonly ms: number;
  /** Of the password, in the memory of the process. */
  readonly copies: number;
}

/** A program that calls the notification package as LSASS does. */
export interface PlayedLsass {
  /** The package. */
  readonly dll: string;
  /** One after the other. */
  change(calls: readonly Call[]): Promise<readonly Answer[]>;
  changeAtOnce(calls: readonly Call[]): Promise<readonly Answer[]>;
  /** Wine leaves it open whose a pipe is, which Windows says when it is made. */
  givePipeTo(sid: string): Promise<void>;
}

export function openLsass(windows: Windows): PlayedLsass {
  const made = (name: string) => path.join(windows.dir, name);
  // As docs/captures/windows.md has it.
  const linked = ['-shared', '-nostartfiles', '-e', 'DllMain'];
  const dll = compileForWindows(
    made('lockstep_notify.dll'),
    ...[...linked, `${SOURCE}.c`, `${SOURCE}.def`],
  );
  const host = compileForWindows(made('host.exe'), path.join(SUPPORT, 'host.c'));
  const pipeOwner = compileForWindows(made('pipe_owner.exe'), path.join(SUPPORT, 'pipe_owner.c'));
  const change = async (calls: readonly Call[], ...more: string[]) => {
    const file = made('calls');
    writeFileSync(file, Buffer.concat(calls.flat().map(encoded)));
    const said = await windows.run(host, windowsPath(dll), windowsPath(file), ...more);
    return said.trim().split(/\r?\n/).map(answerOf);
  };
  return {
    dll,
    change: (calls) => change(calls),
    changeAtOnce: (calls) => change(calls, 'at-once'),
    givePipeTo: async (sid) => {
      await windows.run(pipeOwner, sid);
    },
  };
}

function encoded(text: string | null): Buffer {
  const length = Buffer.alloc(2);
  const bytes = Buffer.from(text ?? '', 'utf16le');
  length.writeUInt16LE(text === null ? 0xffff : bytes.length);
  return Buffer.concat([length, bytes]);
}

function answerOf(line: string): Answer {
  const number = (name: string) => Number(new RegExp(`${name}=(-?\\d+)`).exec(line)?.[1]);
  const [accepted, answer] = [number('accepted'), number('answer')];
  return { accepted, answer, ms: number('ms'), copies: number('copies') };
}
