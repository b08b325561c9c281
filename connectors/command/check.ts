import { constants, type Stats } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { isBelow } from '../../guarded-file';
import type { Finding } from '../contract';
import type { CommandSettings } from './settings';

/**
 * Whether the program is below the allowed folder. An API key can change the configuration, so the configuration must
 * not be able to name any program of the machine.
 */
export const mayBeRun = (folder: string | undefined, command: string): boolean =>
  folder !== undefined && isBelow(folder, command);

/** Checks, without starting it, that the program exists, can run, and cannot be replaced by other users. */
export async function examineProgram(
  { command, workingDirectory }: CommandSettings,
  folder: string | undefined,
): Promise<readonly Finding[]> {
  const wrong = (check: string, says: string): Finding[] => [{ check, verdict: 'wrong', says }];
  if (!mayBeRun(folder, command))
    return wrong(
      'allowed',
      folder === undefined
        ? 'The worker may run no programs. Set LOCKSTEP_COMMAND_DIR of the worker to the folder of your programs.'
        : `The worker runs only programs below ${folder}. Move the program there, or change LOCKSTEP_COMMAND_DIR of the worker.`,
    );
  const [program, around, start] = await Promise.all([
    stat(command).catch(() => null),
    stat(path.dirname(command)).catch(() => null),
    stat(workingDirectory).catch(() => null),
  ]);
  if (program === null || around === null || !program.isFile())
    return wrong(
      'program',
      `${command} does not exist, or the worker may not read its folder. Check the path and the permissions.`,
    );
  if (!(await mayRun(command)))
    return wrong('program', `The worker cannot run ${command}. Make it executable: chmod 755.`);
  if (!start?.isDirectory())
    return wrong(
      'program',
      `The folder in workingDirectory does not exist: ${workingDirectory}. Create it, or correct the setting.`,
    );
  if (isOpen(program) || isOpen(around))
    return wrong(
      'owner',
      `Other users may write ${command} or its folder, and could so read every password. Make root or the user of the worker the owner of both, and remove the write permission of group and others.`,
    );
  return [
    { check: 'program', verdict: 'ok', says: `The worker can run ${command}.` },
    {
      check: 'owner',
      verdict: 'ok',
      says: 'Only root or the user of the worker may write the program and its folder.',
    },
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
