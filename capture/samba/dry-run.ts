import { readFileSync } from 'node:fs';
import { scriptIn } from './service';
import { neededConf, type Plan } from './setup-steps';

/** What a set-up would do, in its order. */
export function foresee(plan: Plan, restartCommand: string): string[] {
  const { wish, key, smbConf, installed, initialised } = plan;
  const needed = neededConf(plan, key).split('\n');
  const there = readFileSync(smbConf, 'utf8').split('\n');
  const changed = needed.filter((line) => !there.includes(line));
  const account = wish.account ?? 'a new, disabled test account';
  return [
    ...(wish.form === 'plaintext' && key === null ? ['Make a GnuPG key that encrypts.'] : []),
    ...(installed ? [] : [`Write ${scriptIn(wish.dir)}, and the file socket beside it.`]),
    `Change the password of ${account}, and see whether it arrives.`,
    ...changed.map((line) => `Put into ${smbConf}: ${line.trim()}`),
    ...(changed.length > 0
      ? [
          `Restart Samba (${restartCommand}), change that password again; undo if it does not arrive.`,
        ]
      : []),
    ...(initialised ? [] : ['Tell samba-tool user syncpasswords what to hand over.']),
  ];
}
