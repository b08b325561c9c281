import { constants, type Stats } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Finding } from '../contract';
import type { CommandSettings } from './settings';

/** The configuration, which an API key can change, must not name just any program of the machine. */
export const isBelow = (folder: string | undefined, command: string): boolean =>
  folder !== undefined &&
  path.resolve(command).startsWith(path.join(path.resolve(folder), path.sep));

/** What can be seen of the program before it is started. */
export async function examineProgram(
  { command, workingDirectory }: CommandSettings,
  folder: string | undefined,
): Promise<readonly Finding[]> {
  const wrong = (check: string, says: string): Finding[] => [{ check, verdict: 'wrong', says }];
  if (!isBelow(folder, command))
    return wrong(
      'allowed',
      folder === undefined
        ? 'The worker runs no programs. Set LOCKSTEP_COMMAND_DIR for it to the folder that has them.'
        : `The worker runs only programs below ${folder}. Move it there, or set LOCKSTEP_COMMAND_DIR.`,
    );
  const [program, around, start] = await Promise.all([
    stat(command).catch(() => null),
    stat(path.dirname(command)).catch(() => null),
    stat(workingDirectory).catch(() => null),
  ]);
  if (program === null || around === null || !program.isFile())
    return wrong('program', `${command} is not there, or the worker cannot see it.`);
  if (!(await mayRun(command)))
    return wrong(
      'program',
      `${command} cannot be run by the worker. Make it executable: chmod 755.`,
    );
  if (!start?.isDirectory())
    return wrong('program', `workingDirectory is not there: ${workingDirectory}.`);
  if (isOpen(program) || isOpen(around))
    return wrong(
      'owner',
      `Others may write ${command}, or its folder, and so read every password. Leave both to root or to the user of the worker, without write permission for others.`,
    );
  return [
    { check: 'program', verdict: 'ok', says: `${command} can be run.` },
    { check: 'owner', verdict: 'ok', says: 'Nobody else may write it.' },
  ];
}

const mayRun = (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );

const GROUP_OR_OTHERS_WRITE = 0o022;

const isOpen = ({ uid, mode }: Stats): boolean =>
  (mode & GROUP_OR_OTHERS_WRITE) !== 0 || ![0, process.getuid?.() ?? 0].includes(uid);
