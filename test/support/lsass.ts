import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { compileForWindows, type Windows, windowsPath } from './windows';

const SOURCE = path.resolve(__dirname, '../../capture/shims/windows/lockstep_notify');
export const SUPPORT = path.resolve(__dirname, 'windows');

export const sids = {
  localSystem: 'S-1-5-18',
  administrators: 'S-1-5-32-544',
  anotherUser: 'S-1-5-21-1-2-3-1105',
} as const;

/** Arguments of a call of the package; null stands for a missing string. */
export type Call = readonly [user: string | null, password: string | null];

export interface Answer {
  /** Result of PasswordFilter: 1 accepts the password. */
  readonly accepted: number;
  /** Result of PasswordChangeNotify: 0 is success. */
  readonly answer: number;
  /** Duration of PasswordChangeNotify. */
  readonly ms: number;
  /** Number of copies of the password that remain in the memory of the process. */
  readonly copies: number;
}

/** A program that calls the notification package as LSASS does. */
export interface PlayedLsass {
  /** Path of the package. */
  readonly dll: string;
  /** Makes the calls one after the other. */
  change(calls: readonly Call[]): Promise<readonly Answer[]>;
  /** Makes the calls in parallel threads. */
  changeAtOnce(calls: readonly Call[]): Promise<readonly Answer[]>;
  /** Sets the owner of the pipe, which Windows sets when a pipe is created and wine does not. */
  givePipeTo(sid: string): Promise<void>;
}

export function openLsass(windows: Windows): PlayedLsass {
  const made = (name: string) => path.join(windows.dir, name);
  // The build options of docs/captures/windows.md.
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
    const output = await windows.run(host, windowsPath(dll), windowsPath(file), ...more);
    return output.trim().split(/\r?\n/).map(answerOf);
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
