import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { ApiKey, ApiKeyCreated, ApiKeys } from '../http/answers';
import { action, type Session } from '../session';
import { table } from '../text/table';
import { relative } from '../text/times';
import { commaSeparated, lifetime, scopes } from '../values';

export const keysCommand = (): Command =>
  new Command('keys')
    .summary('create, list and revoke API keys')
    .description('Creates, lists and revokes API keys. Every request to the API needs one.')
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand());

interface Wanted {
  readonly scope: readonly string[];
  readonly group?: readonly string[];
  readonly expires?: number;
}

const createCommand = (): Command =>
  new Command('create')
    .summary('create an API key')
    .description('Creates an API key and prints it once. It cannot be shown again.')
    .argument('<name>', 'what the key is for')
    .requiredOption(
      '--scope <scopes>',
      'trigger, capture, sign-in, read or admin; separate several with commas',
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
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep keys create "help desk" --scope trigger,read --expires 90d > key.txt',
            'creates a key for 90 days; stdout holds only the key',
          ],
        ],
      }),
    )
    .action(action(create));

async function create(
  { output, api }: Session,
  name: string,
  { scope, group, expires }: Wanted,
): Promise<Exit> {
  const expiresAt = expires === undefined ? null : new Date(Date.now() + expires).toISOString();
  const lockstep = await api();
  const created = await lockstep.send<ApiKeyCreated>('POST', ['keys'], {
    body: { name, scopes: scope, groups: group ?? null, expiresAt },
  });
  output.note(`Created ${created.id}. Save the key now: it cannot be shown again.`);
  output.show(created, () => [created.key]);
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
  { title: 'SCOPES', cut: 'first' },
  { title: 'USED' },
  { title: 'EXPIRES' },
] as const;

function row(key: ApiKey, now: number): string[] {
  const { id, name, scopes, groups, lastUsedAt, expiresAt, revokedAt } = key;
  const allowed =
    groups === null ? scopes.join(', ') : `${scopes.join(', ')} in ${groups.join(', ')}`;
  const end = revokedAt === null ? relative(expiresAt, now) : `revoked ${relative(revokedAt, now)}`;
  return [id, name, allowed, relative(lastUsedAt, now), end];
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
