import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { shim } from './domain';
import type { SambaForm } from './form';
import { lastLine, runTool, type Tools } from './tools';

/** How a reader runs: it hands the passwords that change in the domain over to a relay. */
export interface ReaderOptions {
  readonly tools: Tools;
  /** Folder in which it is installed. */
  readonly dir: string;
  readonly smbConf: string;
  readonly form: SambaForm;
  /** Socket of the relay. */
  readonly socket: string;
}

const FOLDER = 'samba-reader';
const filesOf = (folder: string) => readdirSync(folder).filter((file) => file.endsWith('.py'));

/** The folder of the reader below the one that the operator named. */
export const readerIn = (dir: string): string => path.join(dir, FOLDER);

/** Whether the folder holds the current reader. */
export function isInstalled(dir: string): boolean {
  const source = shim('reader');
  return filesOf(source).every((file) => {
    const installed = path.join(readerIn(dir), file);
    return (
      existsSync(installed) && readFileSync(installed).equals(readFileSync(path.join(source, file)))
    );
  });
}

/** Writes the files of the reader. @returns their folder */
export function installReader(dir: string): string {
  const folder = readerIn(dir);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const source = shim('reader');
  for (const file of filesOf(source))
    copyFileSync(path.join(source, file), path.join(folder, file));
  return folder;
}

/** The command that must keep running for passwords to be captured. */
export const readerCommand = ({
  tools,
  dir,
  smbConf,
  form,
  socket,
}: ReaderOptions): readonly string[] => [
  ...[tools.python, path.join(readerIn(dir), 'main.py'), '-s', smbConf, '--socket', socket],
  ...(form === 'plaintext' ? [] : ['--hash', form]),
];

/**
 * Hands the pending changes of one account over once.
 * @param cursor file of the cursor, apart from that of the installed reader
 * @returns what the reader reported last
 */
export async function readOnce(
  options: ReaderOptions,
  account: string,
  cursor: string,
): Promise<string> {
  const [python = '', ...args] = readerCommand(options);
  const limited = ['--once', '--cursor', cursor, '--filter', `(sAMAccountName=${account})`];
  return lastLine(await runTool(python, [...args, ...limited]));
}

/**
 * The systemd unit (systemd.service(5), systemd.exec(5)) of the reader. It needs no network, and of the capabilities of root
 * only the one to connect to the socket of a relay that runs as another user.
 */
export function unitOf(options: ReaderOptions, gnupgHome: string | null): string {
  return [
    '[Unit]',
    'Description=Lockstep: hands changed passwords of the Samba domain over to the relay',
    'After=samba-ad-dc.service',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    ...(gnupgHome === null ? [] : [`Environment=${quoted(`GNUPGHOME=${gnupgHome}`)}`]),
    `ExecStart=${readerCommand(options).map(quoted).join(' ')}`,
    'Restart=always',
    'RestartSec=5',
    'CapabilityBoundingSet=CAP_DAC_OVERRIDE',
    'NoNewPrivileges=yes',
    'PrivateNetwork=yes',
    'RestrictAddressFamilies=AF_UNIX',
    'ProtectSystem=full',
    'LimitCORE=0',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

const quoted = (word: string): string => {
  const escaped = word.replaceAll('%', '%%');
  return /[\s"'\\]/.test(escaped) ? `"${escaped.replace(/["\\]/g, '\\$&')}"` : escaped;
};
