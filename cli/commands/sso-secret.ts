import { Command } from 'commander';
import { keyStoreSays } from '../../model/key-store-problem';
import type { Secret } from '../../model/passwords/secret';
import type * as MasterSecrets from '../../worker/master-secret';
import type { Exit } from '../exit-codes';
import { Failure, usage } from '../failure';
import { helpText } from '../help-text';
import type { LocalWorker } from '../http/connection';
import { asFailure } from '../misconfigured';
import { askPasswords } from '../password/ask';
import { action, readEnvironment, type Session } from '../session';
import { counted } from '../text/counted';
import { table } from '../text/table';

export const secretCommand = (): Command =>
  new Command('secret')
    .summary('show, back up, restore and rotate the master keys')
    .description(
      'Works on the master keys, which seal the stored credentials. Run it on the machine of the worker, as the user of the ' +
        'worker, with DATABASE_URL, LOCKSTEP_KEY_DIR and, for a key server, LOCKSTEP_TRANSIT_… of the worker. After "lockstep up" ' +
        'it finds these itself. It needs no API key.',
    )
    .addCommand(plain('status', 'Shows the master keys, their backups and what they seal.', status))
    .addCommand(
      plain(
        'generate',
        'Generates a master key, which seals new credentials from then on.',
        generate,
      ),
    )
    .addCommand(
      withFile('backup', 'Saves all master keys in a new file, sealed with a passphrase.', backUp),
    )
    .addCommand(
      withFile('restore', 'Adds the master keys of a backup. It replaces no key.', restore),
    )
    .addCommand(
      plain(
        'rotate',
        'Seals all stored credentials again under the newest master key, while changes run. Run it again to continue a rotation that was cut off.',
        rotate,
      ),
    );

/** A copy of the backup can be attacked without any limit of attempts. */
const MIN_PASSPHRASE_CHARACTERS = 12;

/** Characters of UTF-8 text: every byte but those that continue a character. */
const characters = (bytes: Uint8Array): number =>
  bytes.reduce((count, byte) => count + ((byte & 0xc0) === 0x80 ? 0 : 1), 0);

type Body = (session: Session, secret: MasterSecrets.MasterSecret) => Promise<Exit>;
type FileBody = (
  session: Session,
  secret: MasterSecrets.MasterSecret,
  file: string,
  passphrase: Secret,
) => Promise<Exit>;

const plain = (name: string, description: string, body: Body): Command =>
  new Command(name)
    .description(description)
    .addHelpText('after', helpText({ examples: [[`lockstep sso secret ${name}`, 'runs it']] }))
    .action(action((session: Session) => withSecret(session, (secret) => body(session, secret))));

const withFile = (name: string, description: string, body: FileBody): Command =>
  new Command(name)
    .description(description)
    .argument('<file>', 'the backup file')
    .option(
      '--passphrase-file <file>',
      'read the passphrase from the first line of this file (default: the terminal, or stdin)',
    )
    .addHelpText(
      'after',
      helpText({
        examples: [[`lockstep sso secret ${name} master-keys.backup`, 'asks for the passphrase']],
      }),
    )
    .action(
      action(async (session: Session, file: string, options: { passphraseFile?: string }) => {
        const { next } = await askPasswords({
          who: 'the backup',
          current: false,
          file: options.passphraseFile ?? null,
        });
        try {
          return await withSecret(session, (secret) => body(session, secret, file, next));
        } finally {
          next.destroy();
        }
      }),
    );

async function withSecret(
  session: Session,
  body: (secret: MasterSecrets.MasterSecret) => Promise<Exit>,
): Promise<Exit> {
  const settings = readEnvironment(session.output);
  const { databaseUrl, keyDir } = workerOf(session, settings);
  // Loaded on demand: no other command of the command line reads keys.
  const { openMasterSecret } = require('../../worker/master-secret') as typeof MasterSecrets;
  const secret = openMasterSecret(settings, keyDir, databaseUrl);
  try {
    return await body(secret);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code === 'string')
      throw new Failure(`A file or the database cannot be used (${code}). Run the command again.`);
    return asFailure(error);
  } finally {
    await secret.close();
  }
}

/** The variables of the worker, or else what `lockstep up` has written about its own. */
function workerOf(
  session: Session,
  { DATABASE_URL, LOCKSTEP_KEY_DIR }: ReturnType<typeof readEnvironment>,
): LocalWorker {
  if (DATABASE_URL !== undefined && LOCKSTEP_KEY_DIR !== undefined)
    return { databaseUrl: DATABASE_URL, keyDir: LOCKSTEP_KEY_DIR };
  const local =
    DATABASE_URL === undefined && LOCKSTEP_KEY_DIR === undefined ? session.localWorker() : null;
  if (local === null)
    throw usage('Set DATABASE_URL and LOCKSTEP_KEY_DIR as for the worker, and run this again.');
  return local;
}

async function status({ output }: Session, secret: MasterSecrets.MasterSecret): Promise<Exit> {
  const { place, problem, keys } = await secret.status();
  const warnings = [
    ...(problem === null ? [] : [keyStoreSays(problem)]),
    ...keys.flatMap(warningsOf),
  ];
  output.show({ place, problem, keys, warnings }, () => [
    `The master keys are in ${place}.`,
    ...table(
      output,
      [{ title: 'MASTER KEY' }, { title: 'USE' }, { title: 'BACKUP' }, { title: 'CREDENTIALS' }],
      keys.map(({ id, current, present, fault, backedUp, credentials }) => [
        id,
        fault !== null ? 'unusable' : present ? (current ? 'current' : 'older') : 'missing',
        present ? (backedUp ? 'yes' : 'no') : '-',
        String(credentials),
      ]),
    ),
    ...warnings,
  ]);
  const isWhole = keys.every(({ present, fault }) => present && fault === null);
  return problem === null && isWhole ? 'done' : 'failed';
}

function warningsOf({ id, present, fault, backedUp }: MasterSecrets.MasterKeyStatus): string[] {
  if (fault !== null) return [fault];
  if (!present)
    return [`${id} is missing, so its credentials cannot be read: lockstep sso secret restore.`];
  return backedUp ? [] : [`${id} has no backup: lockstep sso secret backup.`];
}

async function generate({ output }: Session, secret: MasterSecrets.MasterSecret): Promise<Exit> {
  const id = await secret.generate();
  output.show({ id }, () => [
    `Generated ${id}.`,
    'Next: lockstep sso secret backup, then lockstep sso secret rotate.',
  ]);
  return 'done';
}

const backUp: FileBody = async ({ output }, secret, file, passphrase) => {
  if (passphrase.use(characters) < MIN_PASSPHRASE_CHARACTERS)
    throw usage(
      `The passphrase is too short: give at least ${MIN_PASSPHRASE_CHARACTERS} characters, or better a random one. It alone protects the keys in the file.`,
    );
  const keys = await secret.backUp(file, passphrase);
  output.show({ file, keys }, () => [
    `Saved ${counted(keys.length, 'master key')} in ${file}. Keep the file and the passphrase in separate places.`,
  ]);
  return 'done';
};

const restore: FileBody = async ({ output }, secret, file, passphrase) => {
  const keys = await secret.restore(file, passphrase);
  output.show({ keys }, () => [`Restored ${counted(keys.length, 'master key')}.`]);
  return 'done';
};

async function rotate({ output }: Session, secret: MasterSecrets.MasterSecret): Promise<Exit> {
  const rotated = await secret.rotate((resealed) => output.note(`${resealed} credentials sealed`));
  const { resealed, unreadable } = rotated;
  output.show(rotated, () => [
    `Sealed ${counted(resealed, 'credential')} under the newest master key.`,
    ...(unreadable === 0
      ? []
      : [`${unreadable} cannot be opened. "lockstep sso secret status" shows missing keys.`]),
  ]);
  return unreadable === 0 ? 'done' : 'failed';
}
