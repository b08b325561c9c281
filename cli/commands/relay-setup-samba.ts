import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command, Option } from 'commander';
import type { SambaForm } from '../../capture/samba/form';
import type { SambaSetUp } from '../../capture/samba/setup';
import type { Plan } from '../../capture/samba/setup-steps';
import type { Exit } from '../exit-codes';
import { Failure, usage } from '../failure';
import { helpText } from '../help-text';
import { asFailure } from '../misconfigured';
import { action, type Session } from '../session';

interface Options {
  readonly config: string;
  readonly smbConf?: string;
  readonly hash?: Exclude<SambaForm, 'plaintext'>;
  readonly key?: string;
  readonly account?: string;
  readonly dir: string;
  readonly restartCommand: string;
  readonly unit?: string;
  readonly dryRun: boolean;
}

const SYSTEMCTL = 'systemctl restart samba-ad-dc';

export const setupSambaCommand = (): Command =>
  new Command('samba')
    .summary('make a Samba domain submit its passwords to a relay')
    .description(
      'Run this as root on a domain controller that has a relay. It installs a reader that submits changed passwords to the ' +
        'relay, creates an encryption key, names it in smb.conf, restarts Samba, and changes the password of a test account, ' +
        'because with a wrong key every password change of the domain fails. If the test password does not arrive, it restores ' +
        'smb.conf. The command is idempotent: a second run changes nothing that is already right.',
    )
    .requiredOption(
      '--config <file>',
      'relay.json of the relay, which "lockstep relay register" wrote',
    )
    .option(
      '--smb-conf <file>',
      'smb.conf of the domain controller (default: the one that Samba uses)',
    )
    .addOption(
      new Option(
        '--hash <scheme>',
        'submit only hashes of this scheme; Samba then stores no recoverable password',
      ).choices(['sha512-crypt', 'sha256-crypt']),
    )
    .option(
      '--key <id>',
      'id of the GnuPG key of root to encrypt with, 16 hexadecimal digits or more (default: a new key)',
    )
    .option(
      '--account <name>',
      'test account, whose password is changed to a random one (default: a disabled account that is created and deleted again)',
    )
    .option('--dir <folder>', 'folder for the reader', '/usr/local/lib/lockstep')
    .option(
      '--restart-command <command>',
      'command that restarts Samba and ends once Samba is running',
      SYSTEMCTL,
    )
    .option('--unit <file>', 'write a systemd unit to this file (default: the unit is printed)')
    .option('--dry-run', 'show what would be done, without changing anything', false)
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep relay setup samba --config /var/lib/lockstep-relay/relay.json --dry-run',
            'shows what would be done',
          ],
          [
            'lockstep relay setup samba --config /var/lib/lockstep-relay/relay.json --hash sha512-crypt',
            'submits hashes, for other sources that accept this scheme: no password leaves the domain, and no key is needed',
          ],
        ],
        exits: { failed: 'the test password did not arrive; smb.conf was restored' },
      }),
    )
    .action(action(setup));

async function setup({ output }: Session, options: Options): Promise<Exit> {
  const plan = await planOf(options).catch(asFailure);
  if (options.dryRun) {
    const { foresee } =
      require('../../capture/samba/dry-run') as typeof import('../../capture/samba/dry-run');
    const lines = foresee(plan, options.restartCommand);
    output.show({ wouldDo: lines }, () => lines);
    return 'done';
  }
  const { setUpSamba } =
    require('../../capture/samba/setup') as typeof import('../../capture/samba/setup');
  const stopping = new AbortController();
  // SIGHUP too, so that a closed terminal leaves no half-finished setup.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => stopping.abort());
  const conduct = {
    restartCommand: options.restartCommand,
    report: (line: string) => output.line(line),
    interrupted: stopping.signal,
  };
  const done = await setUpSamba(plan, conduct).catch(asFailure);
  if (done.state === 'undone') {
    const [why = '', ...lines] = done.says;
    throw new Failure(why, { lines });
  }
  if (options.unit !== undefined) writeUnit(options.unit, done.unit);
  output.show({ ...done, unitFile: options.unit ?? null }, () => next(done, options));
  return 'done';
}

async function planOf({ config, restartCommand, ...options }: Options): Promise<Plan> {
  const { readSettings } =
    require('../../capture/settings') as typeof import('../../capture/settings');
  const { planSamba } =
    require('../../capture/samba/setup-steps') as typeof import('../../capture/samba/setup-steps');
  const { findTools, inPath } =
    require('../../capture/samba/tools') as typeof import('../../capture/samba/tools');
  const tools = findTools();
  if (restartCommand === SYSTEMCTL && inPath('systemctl') === null)
    throw usage(
      'This machine has no systemctl. Give the command that restarts Samba with --restart-command.',
    );
  const { socket } = readSettings(config);
  if (socket === null)
    throw usage(
      `The relay of ${config} has no socket, so nothing can be submitted to it. Set "socket" in that file.`,
    );
  return planSamba(tools, {
    socket,
    smbConf: options.smbConf === undefined ? null : path.resolve(options.smbConf),
    form: options.hash ?? 'plaintext',
    key: options.key ?? null,
    account: options.account ?? null,
    dir: path.resolve(options.dir),
  });
}

function writeUnit(file: string, unit: string): void {
  try {
    writeFileSync(file, unit);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw usage(
      `Samba is set up, but ${file} cannot be written (${code}). Choose another path with --unit and run this again.`,
    );
  }
}

function next(done: Extract<SambaSetUp, { state: 'ready' }>, { unit, hash }: Options): string[] {
  const environment = done.gnupgHome === null ? '' : `GNUPGHOME=${done.gnupgHome} `;
  const others =
    hash === undefined ? 'the public key and its line of smb.conf' : 'the same line of smb.conf';
  return [
    ...(done.others > 0
      ? [
          `The domain has ${done.others} more domain controller${done.others === 1 ? '' : 's'}. Each needs ${others} and a restart of Samba.`,
        ]
      : []),
    'Next: keep the relay running, and this command, as root:',
    `  ${environment}${done.command.join(' ')}`,
    ...(done.replaces === null
      ? []
      : [
          `"samba-tool user syncpasswords" is still configured to run ${done.replaces}, which the reader replaces. Once the ` +
            'reader runs, stop that command. Passwords that arrive twice start no change.',
        ]),
    ...(unit === undefined
      ? ['As a systemd unit:', '', done.unit]
      : [`Wrote ${unit}. Next: systemctl enable --now ${path.basename(unit)}`]),
  ];
}
