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
    .summary('have a Samba domain hand over its passwords')
    .description(
      'Run it as root on a domain controller, beside its relay. It makes a key that encrypts, names it in smb.conf, ' +
        'restarts Samba, and changes the password of a test account, because with a wrong key every password change of the ' +
        'domain fails. Only when that password arrives, it sets up what hands passwords over; otherwise smb.conf is put back. ' +
        'What is so already is left alone.',
    )
    .requiredOption(
      '--config <file>',
      'relay.json of the relay: what "lockstep relay register" wrote',
    )
    .option('--smb-conf <file>', 'smb.conf of the domain controller (default: the one of Samba)')
    .addOption(
      new Option('--hash <scheme>', 'hand over only hashes: nobody keeps a password').choices([
        'sha512-crypt',
        'sha256-crypt',
      ]),
    )
    .option(
      '--key <id>',
      'GnuPG key of root to encrypt to, 16 digits or more (default: one is made)',
    )
    .option(
      '--account <name>',
      'test account whose password is changed to a random one (default: one is made, disabled, and deleted again)',
    )
    .option('--dir <folder>', 'where the script goes', '/usr/local/lib/lockstep')
    .option('--restart-command <command>', 'what restarts Samba, and ends after that', SYSTEMCTL)
    .option('--unit <file>', 'where to write a systemd unit (default: it is shown)')
    .option('--dry-run', 'only say what would be done', false)
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep relay setup samba --config /var/lib/lockstep-relay/relay.json --dry-run',
            'says what would be done',
          ],
          [
            'lockstep relay setup samba --config /var/lib/lockstep-relay/relay.json --hash sha512-crypt',
            'for sources that take such a hash: no password leaves the domain, and there is no key',
          ],
        ],
        exits: { failed: 'the test change did not come through: smb.conf was put back' },
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
  // Also when the terminal is gone: what is half done would be there to stay.
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
    throw usage('There is no systemctl here: say with --restart-command how Samba is restarted.');
  const { socket } = readSettings(config);
  if (socket === null)
    throw usage(`The relay of ${config} has no socket to hand anything over to.`);
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
    throw usage(`All is set up, but ${file} cannot be written (${code}): run this again.`);
  }
}

function next(done: Extract<SambaSetUp, { state: 'ready' }>, { unit, hash }: Options): string[] {
  const environment = done.gnupgHome === null ? '' : `GNUPGHOME=${done.gnupgHome} `;
  const others =
    hash === undefined ? 'the public key and its line of smb.conf' : 'the same line of smb.conf';
  return [
    ...(done.others > 0
      ? [
          `The domain has ${done.others} more domain controllers: each needs ${others}, and a restart.`,
        ]
      : []),
    'Keep the relay running, and this, as root:',
    `  ${environment}${done.command.join(' ')}`,
    ...(unit === undefined
      ? ['As a unit of systemd:', '', done.unit]
      : [`Wrote ${unit}. Next: systemctl enable --now ${path.basename(unit)}`]),
  ];
}
