import { Command, Option } from 'commander';
import { givenScopes } from '../../model/api/scopes';
import type { Exit } from '../exit-codes';
import { saveKey } from '../files/save-key';
import { helpText } from '../help-text';
import type { ApiKey, ApiKeyCreated, ApiKeyRotated, ApiKeys } from '../http/answers';
import type { Output } from '../output';
import { action, type Session } from '../session';
import { table } from '../text/table';
import { relative } from '../text/times';
import { commaSeparated, lifetime, scopes } from '../values';

export const keysCommand = (): Command =>
  new Command('keys')
    .summary('create, list, rotate and revoke API keys')
    .description(
      'Creates, lists, rotates and revokes API keys. Every request to the API needs one.',
    )
    .addCommand(createCommand())
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(rotateCommand())
    .addCommand(revokeCommand());

interface Wanted {
  readonly scope: readonly string[];
  readonly group?: readonly string[];
  readonly expires?: number;
  readonly agent?: string;
  readonly source?: string;
  readonly identity?: string;
  readonly file?: string;
}

const fileOption = (): Option =>
  new Option('--file <file>', 'save the key in this new file, which only you can read');

/** Prints a new key, or saves it in a file. */
async function handOver<Made extends { readonly id: string; readonly key: string }>(
  output: Output,
  file: string | undefined,
  did: string,
  make: () => Promise<Made>,
): Promise<void> {
  if (file === undefined) {
    const made = await make();
    output.note(`${did} ${made.id}. Save the key now: it cannot be shown again.`);
    output.show(made, () => [made.key]);
    return;
  }
  const { key: _, ...made } = await saveKey(file, make);
  output.show({ ...made, file }, () => [`${did} ${made.id}. Its key is in ${file}.`]);
}

const createCommand = (): Command =>
  new Command('create')
    .summary('create an API key')
    .description('Creates an API key and prints it once. It cannot be shown again.')
    .argument('<name>', 'what the key is for')
    .requiredOption(
      '--scope <scopes>',
      `${givenScopes.slice(0, -1).join(', ')} or ${givenScopes.at(-1)}; separate several with commas`,
      scopes,
    )
    .option(
      '--group <groups>',
      'restrict the key to changes of these sync groups; separate several with commas',
      commaSeparated,
    )
    .option(
      '--expires <time>',
      'lifetime of the key, such as 12h, 90d or 4w; default: unlimited',
      lifetime,
    )
    .option('--agent <name>', 'person who uses the key; required for help-desk')
    .option(
      '--source <source>',
      'source of the relay or adapter; required for relay-enrol and adapter',
    )
    .option(
      '--identity <person>',
      'only person whom a key with person, change-own or lookup may act for; default: everyone',
    )
    .addOption(fileOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep keys create "help desk" --scope help-desk --agent ada.marsh --expires 90d --file key.txt',
            'creates a key for one agent for 90 days, and saves it in a file',
          ],
          [
            'lockstep keys create "own password" --scope change-own --identity ada.marsh',
            'creates a key with which only this person can change the password, with the current one',
          ],
          [
            'lockstep keys create "adapter of racf" --scope adapter --source racf',
            'creates a key for the program that pulls the password changes of this source',
          ],
          [
            'lockstep keys create "relay of dc1" --scope relay-enrol --source domain --expires 1h',
            'creates a key that registers one relay and then ends',
          ],
        ],
      }),
    )
    .action(action(create));

async function create(
  { output, api }: Session,
  name: string,
  { scope, group, expires, agent, source, identity, file }: Wanted,
): Promise<Exit> {
  const expiresAt = expires === undefined ? null : new Date(Date.now() + expires).toISOString();
  const lockstep = await api();
  const body = { name, scopes: scope, groups: group ?? null, expiresAt, agent, source, identity };
  await handOver(output, file, 'Created', () =>
    lockstep.send<ApiKeyCreated>('POST', ['keys'], { body }),
  );
  return 'done';
}

const listCommand = (): Command =>
  new Command('list')
    .description(
      'Lists API keys with scopes, last use and expiry, but without the secret keys themselves.',
    )
    .addHelpText(
      'after',
      helpText({
        examples: [['lockstep keys list', 'lists every key, its scopes and when it was last used']],
      }),
    )
    .action(action(list));

async function list({ output, api }: Session): Promise<Exit> {
  const lockstep = await api();
  const { keys } = await lockstep.get<ApiKeys>(['keys']);
  const now = Date.now();
  output.show({ keys }, () =>
    table(
      output,
      columns,
      keys.map((key) => row(key, now)),
    ),
  );
  return 'done';
}

const columns = [
  { title: 'KEY' },
  { title: 'NAME', cut: 'first' },
  { title: 'AGENT', cut: 'first' },
  { title: 'SCOPES', cut: 'first' },
  { title: 'USED' },
  { title: 'EXPIRES' },
] as const;

function row(key: ApiKey, now: number): string[] {
  const { id, name, agent, source, identity, scopes, groups, lastUsedAt, expiresAt, revokedAt } =
    key;
  const limits = groups ?? (source === null ? null : [source]);
  const allowed = [
    scopes.join(', '),
    ...(identity === null ? [] : [`of ${identity}`]),
    ...(limits === null ? [] : [`in ${limits.join(', ')}`]),
  ].join(' ');
  const end = revokedAt === null ? relative(expiresAt, now) : `revoked ${relative(revokedAt, now)}`;
  return [id, name, agent ?? '', allowed, relative(lastUsedAt, now), end];
}

const rotateCommand = (): Command =>
  new Command('rotate')
    .summary('give an API key a new secret')
    .description(
      'Gives an API key a new secret and prints the new key once. The id, the rights and the waiting changes stay.',
    )
    .argument('<key>', 'id of the key, as "lockstep keys list" shows it')
    .option(
      '--keep <time>',
      'how long the previous key is accepted, such as 0h or 24h; default: 24h',
      lifetime,
    )
    .addOption(fileOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep keys rotate key_01jd8x2m9k0000000000000000 --keep 1h --file key.txt',
            'creates the new key; the previous key is accepted for another hour',
          ],
        ],
      }),
    )
    .action(action(rotate));

async function rotate(
  { output, api }: Session,
  id: string,
  { keep, file }: { readonly keep?: number; readonly file?: string },
): Promise<Exit> {
  const lockstep = await api();
  const body = keep === undefined ? {} : { keepSeconds: keep / 1000 };
  const missing = `There is no key ${id} that can be rotated. "lockstep keys list" lists the keys.`;
  await handOver(output, file, 'Rotated', () =>
    lockstep.send<ApiKeyRotated>('POST', ['keys', id, 'rotate'], { body, missing }),
  );
  return 'done';
}

const revokeCommand = (): Command =>
  new Command('revoke')
    .description('Revokes an API key. The API refuses it from the next request on.')
    .argument('<key>', 'id of the key, as "lockstep keys list" shows it')
    .addHelpText(
      'after',
      helpText({
        examples: [['lockstep keys revoke key_01jd8x2m9k0000000000000000', 'revokes this key']],
      }),
    )
    .action(action(revoke));

async function revoke({ output, api }: Session, id: string): Promise<Exit> {
  const lockstep = await api();
  await lockstep.send('DELETE', ['keys', id], {
    missing: `There is no key ${id}, or it is already revoked. "lockstep keys list" lists the keys.`,
  });
  output.show({ id, revoked: true }, () => [`Revoked ${id}.`]);
  return 'done';
}
