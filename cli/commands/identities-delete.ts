import { Command } from 'commander';
import { confirm } from '../confirm';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { IdentityWithMappings } from '../http/answers';
import { action, type Session } from '../session';
import { identityLines } from '../text/identity-text';

export const deleteCommand = (): Command =>
  new Command('delete')
    .description(
      'Deletes a person with links, stored credentials, changes and notices. The accounts in the sources stay as they ' +
        'are, and so do the audit records. Refused while a change of the person is open.',
    )
    .argument('<who>', 'name of the person')
    .option('--yes', 'delete without asking for confirmation')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep identities delete alice',
            'shows alice, asks for confirmation, and deletes the person',
          ],
        ],
      }),
    )
    .action(action(remove));

async function remove(
  { output, api }: Session,
  who: string,
  { yes = false }: { readonly yes?: boolean },
): Promise<Exit> {
  const lockstep = await api();
  const missing = `There is no person ${who}. "lockstep identities list" lists the people.`;
  if (!yes) {
    const identity = await lockstep.get<IdentityWithMappings>(['identities', who], { missing });
    for (const line of identityLines(output, identity)) output.line(line);
    await confirm(`Delete ${identity.name}?`);
  }
  await lockstep.send('DELETE', ['identities', who], { missing });
  output.show({ identity: who, deleted: true }, () => [
    `Deleted ${who}. The accounts in the sources stay as they are.`,
  ]);
  return 'done';
}
