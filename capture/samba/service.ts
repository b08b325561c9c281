import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Misconfigured } from '../../config';
import { type DomainFacts, shim } from './domain';
import { attributesOf, type SambaForm } from './form';
import { lastLine, type Ran, runTool, type Tools } from './tools';

/** Options of `samba-tool user syncpasswords`, which runs the script of Lockstep for each changed account. */
export interface Sync {
  readonly tools: Tools;
  readonly facts: DomainFacts;
  readonly form: SambaForm;
  readonly script: string;
  /** File in which samba-tool keeps its configuration and its progress. */
  readonly cache: string;
}

const SCRIPT = 'lockstep-samba.py';

/** Path of the script in its folder. */
export const scriptIn = (dir: string): string => path.join(dir, SCRIPT);
const socketFileIn = (dir: string): string => path.join(dir, 'socket');

/** Whether the folder holds the current script and the path of the relay's socket. */
export const isInstalled = (dir: string, socket: string): boolean =>
  isSame(scriptIn(dir), readFileSync(shim(SCRIPT), 'utf8')) &&
  isSame(socketFileIn(dir), `${socket}\n`);

const isSame = (file: string, content: string): boolean =>
  existsSync(file) && readFileSync(file, 'utf8') === content;

/** Writes the script, and next to it a file with the path of the relay's socket. @returns path of the script */
export function installScript(dir: string, socket: string): string {
  const script = scriptIn(dir);
  copyFileSync(shim(SCRIPT), script);
  chmodSync(script, 0o755);
  writeFileSync(socketFileIn(dir), `${socket}\n`, { mode: 0o644 });
  return script;
}

/**
 * Configures samba-tool to run the script for each changed password.
 * @param filter LDAP filter that limits it to some accounts
 * @throws Misconfigured with the error message of samba-tool
 */
export async function initialise(sync: Sync, filter?: string): Promise<void> {
  const { facts, form, script } = sync;
  const ran = await syncPasswords(sync, [
    ...['--cache-ldb-initialize', `--script=${script}`, `--URL=${facts.ldapi}`],
    ...[`--attributes=${attributesOf(form).join(',')}`],
    ...(form === 'plaintext' ? ['--decrypt-samba-gpg'] : []),
    ...(filter === undefined ? [] : [`--filter=${filter}`]),
  ]);
  if (ran.code !== 0)
    throw new Misconfigured(`samba-tool user syncpasswords failed: ${lastLine(ran)}`);
}

/** Hands over all pending changes once. @returns the warning or error of samba-tool, or null */
export async function noWait(sync: Sync): Promise<string | null> {
  const ran = await syncPasswords(sync, ['--no-wait']);
  const warning = /^WARNING: .*$/m.exec(ran.stdout)?.[0];
  return warning ?? (ran.code === 0 ? null : lastLine(ran));
}

const syncPasswords = ({ tools, facts, cache }: Sync, args: readonly string[]): Promise<Ran> =>
  runTool(tools.sambaTool, [
    ...['user', 'syncpasswords', `--cache-ldb=${cache}`, `--configfile=${facts.smbConf}`],
    ...args,
  ]);

/** The command that must keep running for passwords to be captured. */
export const daemonCommand = ({ tools, facts }: Sync): readonly string[] => [
  ...[tools.sambaTool, 'user', 'syncpasswords', `--configfile=${facts.smbConf}`],
];

/**
 * The systemd unit (systemd.service(5)) of the daemon. The daemon exits if the relay does not answer, and after a restart hands
 * over the changes that the relay has not accepted.
 */
export function unitOf(sync: Sync, gnupgHome: string | null): string {
  return [
    '[Unit]',
    'Description=Lockstep: hands changed passwords of the Samba domain over to the relay',
    'After=samba-ad-dc.service',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    ...(gnupgHome === null ? [] : [`Environment=${quoted(`GNUPGHOME=${gnupgHome}`)}`]),
    `ExecStart=${daemonCommand(sync).map(quoted).join(' ')}`,
    'Restart=always',
    'RestartSec=5',
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
