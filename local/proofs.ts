import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { timeLimit } from '../time-limit';
import type { Address } from './ports';

/**
 * How we know that the process which we started has the port, and not another one that took the port first. A server of
 * another clone answers as ours does, so an answer alone proves nothing.
 */
export type Proof =
  /** The process holds the listening socket. For servers that run as the user that we are. */
  | { readonly by: 'owner' }
  /** TLS from the first byte, with a certificate of an authority that has signed for the folder of this server alone. */
  | { readonly by: 'certificate'; readonly caFile: string }
  /** A login that verifies such a certificate. It rejects until the server accepts it. */
  | { readonly by: 'login'; readonly logIn: () => Promise<unknown> }
  /** An HTTP header with a value that the configuration of this server alone holds. */
  | { readonly by: 'header'; readonly name: string; readonly value: string }
  /** The process ends when it cannot have this port, and opens it before a port that has another proof. */
  | { readonly by: 'staying-alive' };

export interface Listener extends Address {
  readonly proof: Proof;
}

/** Whether the process has this port and answers there. */
export async function isProven({ proof, ...address }: Listener, pid: number): Promise<boolean> {
  switch (proof.by) {
    case 'owner':
      return isListening(pid, address.port);
    case 'certificate':
      return showsCertificate(address, proof.caFile);
    case 'login':
      return succeeds(proof.logIn());
    case 'header':
      return showsHeader(address, proof);
    case 'staying-alive':
      return true;
  }
}

const TIMEOUT_MS = 2_000;

const succeeds = (attempt: Promise<unknown>): Promise<boolean> =>
  attempt.then(
    () => true,
    () => false,
  );

/** The chain is verified; names are not, because a certificate may be for a name that does not resolve here. */
const showsCertificate = ({ host, port }: Address, caFile: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = tls.connect({
      ...{ host, port, ca: [readFileSync(caFile)] },
      checkServerIdentity: () => undefined,
    });
    const answer = (proven: boolean) => {
      socket.destroy();
      resolve(proven);
    };
    socket.setTimeout(TIMEOUT_MS, () => answer(false));
    socket.once('secureConnect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.once('close', () => answer(false));
  });

async function showsHeader(
  { host, port }: Address,
  { name, value }: { readonly name: string; readonly value: string },
): Promise<boolean> {
  try {
    const signal = timeLimit(TIMEOUT_MS);
    return (await fetch(`http://${host}:${port}/`, { signal })).headers.get(name) === value;
  } catch {
    return false;
  }
}

const run = promisify(execFile);

const isListening = async (pid: number, port: number): Promise<boolean> =>
  existsSync(`/proc/${pid}/net/tcp`) ? listensOnLinux(pid, port) : listensByLsof(pid, port);

/** proc(5): the second column is address:port in hexadecimal, the fourth the state (0A: LISTEN), the tenth the inode. */
function listensOnLinux(pid: number, port: number): boolean {
  const portInHex = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = ['tcp', 'tcp6']
    .flatMap((table) => readIfThere(`/proc/${pid}/net/${table}`).split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => state === '0A' && local.endsWith(`:${portInHex}`))
    .map((columns) => `socket:[${columns[9]}]`);
  return socketsOf(pid).some((socket) => inodes.includes(socket));
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => linkIfThere(`/proc/${pid}/fd/${fd}`));
  } catch {
    // The process has ended.
    return [];
  }
}

function linkIfThere(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** On macOS, where lsof is part of the system. It fails when nothing matches. */
const listensByLsof = (pid: number, port: number): Promise<boolean> =>
  succeeds(run('lsof', ['-a', '-p', String(pid), `-iTCP:${port}`, '-sTCP:LISTEN', '-n', '-P']));
