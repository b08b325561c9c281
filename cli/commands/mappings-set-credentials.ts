import { Command, Option } from 'commander';
import { jsonBody } from '../../model/passwords/json-body';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { CredentialSet } from '../http/answers';
import { askExisting, refuseOnCommandLine } from '../password/ask';
import { action, type Session } from '../session';

interface Options {
  readonly passwordFile?: string;
  readonly password?: unknown;
}

export const setCredentialsCommand = (): Command =>
  new Command('set-credentials')
    .summary('store the password that an account has, as the credential of its mapping')
    .description(
      'Stores the password that the account has now as the credential of a mapping. A worker verifies it at the account ' +
        'first, where the source allows that, and stores nothing if it is wrong. It never changes the password of the ' +
        'account. The command asks for the password at the terminal, or reads it from stdin or a file.',
    )
    .argument('<who>', 'name of the person')
    .argument('<application>', 'name of the application')
    .argument('[account]', 'account, if the person has several mappings of the application')
    .option('--password-file <file>', 'read the password from the first line of this file')
    .addOption(new Option('--password [value]').hideHelp())
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep mappings set-credentials alice reports',
            'asks for the password that alice has in reports, verifies it and stores it',
          ],
        ],
      }),
    )
    .action(action(setCredentials));

async function setCredentials(
  { output, api }: Session,
  identity: string,
  application: string,
  account: string | undefined,
  { passwordFile, password: onCommandLine }: Options,
): Promise<Exit> {
  refuseOnCommandLine(onCommandLine);
  const lockstep = await api();
  const question = `Password of ${account ?? identity} in ${application}: `;
  const password = await askExisting(question, passwordFile ?? null);
  const body = jsonBody({ identity, application, account, password });
  password.destroy();
  const set = await lockstep
    .send<CredentialSet>('POST', ['mappings', 'set-credentials'], {
      body,
      missing: `${identity} has no such mapping in ${application}. "lockstep mappings --identity ${identity}" lists them.`,
    })
    .finally(() => body.destroy());
  output.show(set, () => lines(set));
  return 'done';
}

const lines = ({ identity, application, account, proof, enabled }: CredentialSet): string[] => [
  `Stored the credential of ${identity} for ${account} in ${application}, ${
    proof === 'none'
      ? 'unverified: its source cannot verify passwords'
      : `verified by ${proof === 'login' ? 'a login' : 'the stored hash'}`
  }.`,
  ...(enabled
    ? []
    : [`The mapping is disabled. Next: lockstep mappings enable ${identity} ${application}`]),
];
