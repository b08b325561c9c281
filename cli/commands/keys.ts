import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { ApiKey } from '../http/shapes';
import { action, type Session } from '../session';
import { table } from '../text/table';
import { relative } from '../text/times';
import { commaSeparated, lifetime, scopes } from '../values';

export const keysCommand = (): Command =>
  new Command('keys')
    .summary('make, list and revoke API keys')
    .description('API keys: what programs and people show to the api.')
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
    .summary('make a key')
    .description('Makes a key and prints it, once: nobody can read it again.')
    .argument('<name>', 'what it is for')
    .requiredOption(
      '--scope <scopes>',
      'trigger, capture, sign-in, read or admin; several with commas',
      scopes,
    )
    .option('--group <groups>', 'only the changes of these sync groups', commaSeparated)
    .option('--expires <time>', 'valid for so long, such as 90d', lifetime)
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep keys create "help desk" --scope trigger,read --expires 90d > key.txt',
            'the key is all that goes to stdout',
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
  const made = await lockstep.send<{ id: string; key: string }>('POST', ['keys'], {
    body: { name, scopes: scope, groups: group ?? null, expiresAt },
  });
  output.note(`Made ${made.id}. Keep the key: nobody can read it again.`);
  output.show(made, () => [made.key]);
  return 'done';
}

const listCommand = (): Command =>
  new Command('list')
    .description('Lists the keys, without the keys themselves.')
    .addHelpText('after', helpText({ examples: [['lockstep keys list', 'who may do what']] }))
    .action(action(list));

async function list({ output, api }: Session): Promise<Exit> {
  const lockstep = await api();
  const { keys } = await lockstep.get<{ keys: ApiKey[] }>(['keys']);
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
  { title: 'MAY', cut: 'first' },
  { title: 'USED' },
  { title: 'EXPIRES' },
] as const;

function row(key: ApiKey, now: number): string[] {
  const { id, name, scopes, groups, lastUsedAt, expiresAt, revokedAt } = key;
  const may = groups === null ? scopes.join(', ') : `${scopes.join(', ')} in ${groups.join(', ')}`;
  const end = revokedAt === null ? relative(expiresAt, now) : `revoked ${relative(revokedAt, now)}`;
  return [id, name, may, relative(lastUsedAt, now), end];
}

const revokeCommand = (): Command =>
  new Command('revoke')
    .description('Revokes a key: from the next request on it is unknown.')
    .argument('<key>', 'its id, as "lockstep keys list" shows it')
    .addHelpText(
      'after',
      helpText({
        examples: [['lockstep keys revoke key_01jd8x2m9k0000000000000000', 'revokes it']],
      }),
    )
    .action(action(revoke));

async function revoke({ output, api }: Session, id: string): Promise<Exit> {
  const lockstep = await api();
  await lockstep.send('DELETE', ['keys', id], {
    missing: `There is no key ${id} in use. "lockstep keys list" shows them.`,
  });
  output.show({ id, revoked: true }, () => [`Revoked ${id}.`]);
  return 'done';
}
