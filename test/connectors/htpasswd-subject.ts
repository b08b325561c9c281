import { execFile } from 'node:child_process';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { server } from '../support/servers';
import type { TestAccount } from './conformance/subject';
import { unique } from './sql-admin';

/** Accounts in an htpasswd file. nginx checks logins against it, and the program of docs/examples writes it. */
export const htpasswd = {
  program: () => server('nginx').program ?? '',
  programs: () => path.dirname(htpasswd.program()),
  file: () => server('nginx').file ?? '',

  /** Creates an account. The program itself writes the first password; nginx later checks that it is right. */
  async account(): Promise<TestAccount> {
    const ref = { name: unique('person'), nativeId: null };
    const password = unique('First');
    appendFileSync(htpasswd.file(), `${ref.name}:*\n`);
    const running = promisify(execFile)(htpasswd.program(), [htpasswd.file()]);
    running.child.stdin?.end(JSON.stringify({ operation: 'setPassword', account: ref, password }));
    await running;
    return { ref, password, key: ref.name };
  },

  /** Adds a line whose name is no name of the contract. */
  async unreadable() {
    const line = `${unique('bell')}\u0007:*\n`;
    appendFileSync(htpasswd.file(), line);
    const remove = async () =>
      writeFileSync(htpasswd.file(), readFileSync(htpasswd.file(), 'utf8').replace(line, ''));
    return { shown: '#', remove };
  },

  async logsIn({ ref }: TestAccount, password: string): Promise<boolean> {
    const credential = Buffer.from(`${ref.name}:${password}`).toString('base64');
    const headers = { authorization: `Basic ${credential}` };
    const { status } = await fetch(server('nginx').url ?? '', { headers });
    if (status !== 200 && status !== 401) throw new Error(`nginx answered ${status}`);
    return status === 200;
  },

  async entry({ ref }: TestAccount): Promise<Readonly<Record<string, unknown>>> {
    const lines = readFileSync(htpasswd.file(), 'utf8').split('\n');
    const isTheirs = (line: string) => line.startsWith(`${ref.name}:`);
    const { mode, uid, gid } = statSync(htpasswd.file());
    return {
      theirs: lines.filter(isTheirs),
      others: lines.filter((line) => !isTheirs(line)),
      ...{ mode, uid, gid },
    };
  },

  mayChange: ['theirs'],
  refusals: [
    {
      title: 'a password that is longer than crypt(3) supports',
      password: 'x'.repeat(600),
      reason: 'policy_too_long',
    },
    {
      title: 'a password with the character NUL',
      password: 'Before \0 and after',
      reason: 'character_not_supported',
    },
  ],
} as const;
