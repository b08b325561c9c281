import { Command, InvalidArgumentError } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { IdentityWithMappings } from '../http/answers';
import { ApiProblem } from '../http/refusals';
import { action, type Session } from '../session';
import { identityLines } from '../text/identity-text';
import { sourceAndName } from '../values';

interface Wanted {
  readonly attribute?: readonly Attribute[];
  readonly account?: readonly AccountLink[];
  readonly map?: readonly Mapping[];
}

type Attribute = readonly [name: string, value: string];

interface AccountLink {
  readonly source: string;
  readonly name: string;
  readonly primary: boolean;
}

interface Mapping {
  readonly application: string;
  readonly account?: string;
}

export const setCommand = (): Command =>
  new Command('set')
    .description(
      'Adds a person, or adds attributes, accounts and applications to one. Each option may be given several times. ' +
        'Everything that no option names stays as it is.',
    )
    .argument('<who>', 'name of the person')
    .option(
      '--attribute <name=value>',
      'attribute for the correlation rules of a refresh; an empty value removes it',
      each(attribute),
    )
    .option(
      '--account <source:name[:primary]>',
      'account of the person in a source',
      each(accountLink),
    )
    .option(
      '--map <application[=account]>',
      'application that the person signs in to, with an account of its source',
      each(mapping),
    )
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep identities set alice --attribute mail=alice@example.com --account apps:alice --map reports',
            'adds an attribute, links the account alice in apps, and maps the application reports to the account in its source',
          ],
        ],
      }),
    )
    .action(action(set));

async function set({ output, api }: Session, who: string, wanted: Wanted): Promise<Exit> {
  const lockstep = await api();
  const known = await lockstep.get<IdentityWithMappings>(['identities', who]).catch((error) => {
    if (error instanceof ApiProblem && error.problem.code === 'not_found') return null;
    throw error;
  });
  const identity = await lockstep.send<IdentityWithMappings>('PUT', ['identities', who], {
    body: {
      attributes: merged(known?.attributes ?? {}, wanted.attribute ?? []),
      accounts: wanted.account,
      mappings: wanted.map,
    },
  });
  output.show(identity, () => identityLines(output, identity));
  return 'done';
}

function merged(
  known: Readonly<Record<string, string>>,
  wanted: readonly Attribute[],
): Record<string, string> {
  const all = Object.entries({ ...known, ...Object.fromEntries(wanted) });
  return Object.fromEntries(all.filter(([, value]) => value !== ''));
}

/** The parser of an option that may be given several times: it collects the values. */
function each<Value>(parse: (text: string) => Value) {
  return (text: string, before: readonly Value[] = []): Value[] => [...before, parse(text)];
}

function attribute(text: string): Attribute {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError('Give the name of the attribute, an equals sign and the value.');
  return [name, value];
}

const PRIMARY = ':primary';

function accountLink(text: string): AccountLink {
  const primary = text.endsWith(PRIMARY);
  return { ...sourceAndName(primary ? text.slice(0, -PRIMARY.length) : text), primary };
}

function mapping(text: string): Mapping {
  const [application = '', ...account] = text.split('=');
  return account.length === 0 ? { application } : { application, account: account.join('=') };
}
