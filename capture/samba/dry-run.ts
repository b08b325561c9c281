import { readFileSync } from 'node:fs';
import { readerIn } from './reader';
import { neededConf, type Plan } from './setup-steps';

/** The steps that a set-up would take, in order. */
export function foresee(plan: Plan, restartCommand: string): string[] {
  const { wish, key, smbConf, installed } = plan;
  const needed = neededConf(plan, key).split('\n');
  const present = readFileSync(smbConf, 'utf8').split('\n');
  const changed = needed.filter((line) => !present.includes(line));
  const account = wish.account ?? 'a new, disabled test account';
  return [
    ...(wish.form === 'plaintext' && key === null ? ['Create a GnuPG key that can encrypt.'] : []),
    ...(installed ? [] : [`Install the reader in ${readerIn(wish.dir)}.`]),
    `Change the password of ${account}, and check that it arrives.`,
    ...changed.map((line) => `Add to ${smbConf}: ${line.trim()}`),
    ...(changed.length > 0
      ? [
          `Restart Samba (${restartCommand}) and change that password again; undo everything if it does not arrive.`,
        ]
      : []),
  ];
}
