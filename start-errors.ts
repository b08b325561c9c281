import { Misconfigured } from './config';

/** Turns errors of files and ports that the environment names into sentences for the operator. */

interface SystemError {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly path?: unknown;
}

const ofFiles: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist. Create it, or correct the variable.',
  EACCES:
    'cannot be used by this process (EACCES). Let its user read the file and enter its folders.',
  EPERM:
    'cannot be used by this process (EPERM). Let its user read the file and enter its folders.',
  EISDIR: 'is a folder. Name a file.',
  ENOTDIR: 'is below something that is not a folder. Correct the variable.',
  EROFS: 'cannot be written, because its file system is read-only. Name another place.',
  ENOSPC: 'cannot be written, because its disk is full. Make room there.',
};

/**
 * The error to throw for one that came from a file which a variable names.
 * @returns `Misconfigured` with the variable, the path and what to do; an error of another kind unchanged
 */
export function fileError(variable: string, file: string, error: unknown): unknown {
  const { code, syscall, path } = (error ?? {}) as SystemError;
  if (typeof code !== 'string' || typeof syscall !== 'string') return error;
  const shown = typeof path === 'string' ? path : file;
  const says = Object.hasOwn(ofFiles, code) ? ofFiles[code] : `cannot be used (${code}).`;
  return new Misconfigured(`${variable}: ${shown} ${says}`);
}

const ofPorts: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process has this port. Stop it, or choose another port.',
  EACCES: 'this process may not open this port. Choose a port above 1023.',
  EADDRNOTAVAIL: 'this machine does not have this address. Correct the address.',
  ENOTFOUND: 'this name cannot be resolved. Correct the address.',
};

/** The same for an error from listening on a port. */
export function portError(
  variable: string,
  { host, port }: { readonly host: string; readonly port: number },
  error: unknown,
): unknown {
  const { code } = (error ?? {}) as SystemError;
  if (typeof code !== 'string') return error;
  const says = Object.hasOwn(ofPorts, code) ? ofPorts[code] : `it cannot be opened (${code}).`;
  return new Misconfigured(`${variable}: ${host}:${port}: ${says}`);
}
