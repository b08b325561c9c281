import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { Failure } from '../failure';
import { helpText } from '../help-text';
import type { Api } from '../http/api';
import { action, type Session } from '../session';
import { gather, type MissingPart, type Part } from '../support/gather';
import { hostsReplacedIn, withoutSecrets } from '../support/redact';

interface Options {
  readonly out?: string;
  readonly withNames?: true;
  readonly redactHosts?: true;
  readonly metrics?: readonly string[];
  readonly log?: readonly string[];
}

export const supportBundleCommand = (): Command =>
  new Command('support-bundle')
    .summary('collect what a person needs who helps you')
    .description(
      'Writes a folder with versions, the configuration, the findings of the doctor, the state of sources, relays and ' +
        'queues, metrics, and the newest log lines. It contains no password, key or secret: the configuration has only ' +
        'references to secrets. Names of people and accounts are left out unless you ask for them. Everything is readable ' +
        'text: look through the folder before you send it. What cannot be read is listed in README.txt, so the command also ' +
        'helps while the API does not answer. A key with the scope admin reads everything.',
    )
    .option('--out <dir>', 'the new folder (default: lockstep-support-TIME in the current folder)')
    .option('--with-names', 'include the names of people and accounts in changes and log lines')
    .option('--redact-hosts', 'replace names and addresses of hosts by host-1, host-2, …')
    .option(
      '--metrics <url...>',
      'where api and workers answer /metrics (default: those of "lockstep up", otherwise ports 9080 and 9081 of this machine)',
    )
    .option('--log <file...>', 'log files of api and workers (default: those of "lockstep up")')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep support-bundle', 'collects everything that this machine and the key can read'],
          [
            'lockstep support-bundle --redact-hosts --log /var/log/lockstep/api.log /var/log/lockstep/worker.log',
            'hides the names of hosts, and reads two log files',
          ],
        ],
        exits: { partial: 'some parts could not be read; README.txt lists them' },
      }),
    )
    .action(action(supportBundle));

async function supportBundle(session: Session, options: Options): Promise<Exit> {
  const { output } = session;
  const dir = path.resolve(options.out ?? `lockstep-support-${timestamp()}`);
  const known = session.supportPlaces();
  const places = { ops: options.metrics ?? known.ops, logs: options.log ?? known.logs };
  const { api, why } = await reachable(session);
  const { parts, missing } = await gather({ api, places, withNames: options.withNames ?? false });
  const about = {
    missing: why === null ? missing : [{ name: 'the API', why }, ...missing],
    options,
  };
  const all = [{ name: 'README.txt', content: readme(about) }, ...parts];
  const replaceHosts = options.redactHosts ? hostsReplacedIn(all) : (text: string) => text;
  write(
    dir,
    all.map(({ name, content }) => ({ name, content: replaceHosts(withoutSecrets(content)) })),
  );
  const files = all.map(({ name }) => path.join(dir, name));
  output.show({ dir, files, missing: about.missing }, () => [
    `${dir}: ${files.length} files.`,
    ...about.missing.map(({ name, why: reason }) => `  missing: ${name}: ${reason}`),
    'Next: look through the folder, and send it to the person who helps you.',
  ]);
  return about.missing.length === 0 ? 'done' : 'partial';
}

const timestamp = (): string => new Date().toISOString().slice(0, 19).replaceAll(/[-:T]/g, '');

/** The API, or why it cannot be used. */
async function reachable(session: Session): Promise<{ api: Api | null; why: string | null }> {
  try {
    const api = await session.api();
    await api.get(['presence']);
    return { api, why: null };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { api: null, why: error.message };
  }
}

const readme = ({
  missing,
  options,
}: {
  readonly missing: readonly MissingPart[];
  readonly options: Options;
}): string =>
  [
    'Support bundle of Lockstep',
    `Made at ${new Date().toISOString()}.`,
    options.withNames
      ? 'It contains names of people and accounts.'
      : 'Names of people and accounts were left out of changes, stale accounts and log lines.',
    options.redactHosts
      ? 'Names and addresses of hosts were replaced.'
      : 'It contains names of hosts.',
    'It contains no password and no key. The configuration has references to secrets only.',
    ...(missing.length === 0 ? [] : ['', 'Missing:']),
    ...missing.map(({ name, why }) => `- ${name}: ${why}`),
    '',
  ].join('\n');

function write(dir: string, parts: readonly Part[]): void {
  try {
    mkdirSync(dir, { mode: 0o700 });
    for (const { name, content } of parts)
      writeFileSync(path.join(dir, name), content, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new Failure(
      `${dir} cannot be written (${(error as NodeJS.ErrnoException).code}). Name another new folder with --out.`,
    );
  }
}
