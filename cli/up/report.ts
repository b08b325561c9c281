import { HERO, people, REFUSED } from '../../local/demo/company';
import type { DemoSignIn } from '../../local/demo/sign-in';
import type { Stack } from '../../local/stack';
import type { Output } from '../output';
import { pad, widthOf } from '../text/text-width';
import type { DemoResult, ProvedAccount } from './story';

interface Shown {
  readonly result: DemoResult;
  readonly stack: Stack;
  /** The identity provider of the demo; null if its package is not installed. */
  readonly signIn: DemoSignIn | null;
  readonly readySeconds: number;
  readonly configurationFile: string;
  readonly staysUp: boolean;
}

/** The result of the demo as one line of JSON. */
export const resultAsJson = ({ ok, change, accounts }: DemoResult, readySeconds: number): string =>
  JSON.stringify({
    ok,
    changeId: change.id,
    state: change.state,
    accounts: accounts.map(({ source, account, outcome, newAccepted, oldRefused }) => ({
      source,
      account,
      outcome,
      proved: newAccepted && oldRefused,
    })),
    readySeconds,
  });

/** Prints that Lockstep is running, and where. */
export function showReady(output: Output, readySeconds: number, stack: Stack): void {
  for (const line of [
    '',
    `Lockstep is running (ready after ${readySeconds} s).`,
    '',
    ...links(stack),
    '',
    STOP,
  ])
    output.line(line);
}

/** Prints the result of the demo change, the verification of each account, and what to try next. */
export function showDemo(
  stream: { write(text: string): unknown },
  output: Pick<Output, 'paint'>,
  { result, stack, signIn, readySeconds, configurationFile, staysUp }: Shown,
): void {
  const { accounts, change, tookMs } = result;
  const applied = accounts.filter(({ outcome }) => outcome === 'applied').length;
  const lines = [
    '',
    `Lockstep is running (ready after ${readySeconds} s).`,
    '',
    `${fullName(HERO)} got a new password for her ${accounts.length} accounts. A real login to every account then verified it.`,
    '',
    ...rows(output, accounts),
    '',
    `The change ended as "${change.state}" after ${(tookMs / 1000).toFixed(2)} s: ${applied} of ${accounts.length} accounts hold the new password.`,
    ...(staysUp
      ? ['', ...links(stack, change.id, configurationFile, signIn), '', ...tryNext, '', STOP]
      : []),
    '',
  ];
  stream.write(lines.join('\n'));
}

function rows({ paint }: Pick<Output, 'paint'>, accounts: readonly ProvedAccount[]): string[] {
  const sourceWidth = Math.max(...accounts.map(({ source }) => widthOf(source)));
  const nameWidth = Math.max(...accounts.map(({ account }) => widthOf(account)));
  return accounts.map(({ source, account, outcome, newAccepted, oldRefused }) => {
    const isVerified = outcome === 'applied' && newAccepted && oldRefused;
    const mark = isVerified ? paint('green', '✔') : paint('red', '✖');
    const proof = `new password ${newAccepted ? 'accepted' : 'REFUSED'}, old one ${oldRefused ? 'refused' : 'STILL ACCEPTED'}`;
    return `  ${mark} ${pad(source, sourceWidth)}  ${pad(account, nameWidth)}  ${outcome}  ${proof}`;
  });
}

function links(
  stack: Stack,
  changeId?: string,
  configurationFile?: string,
  signIn: DemoSignIn | null = null,
): string[] {
  const { apiUrl, temporalUiUrl } = stack;
  const filter = encodeURIComponent(`WorkflowId="${changeId}"`);
  const rows: [string, string][] = [['API', `${apiUrl}/docs/`]];
  rows.push(['Change password', `${apiUrl}/password`]);
  const orProvider = signIn === null ? '' : 'as one of the staff, or ';
  rows.push([
    'Console',
    `${apiUrl}/console (sign in ${orProvider}with the key in ${stack.adminKeyFile})`,
  ]);
  if (signIn !== null)
    rows.push(
      ['My accounts', `${apiUrl}/me (sign in as ${fullName(HERO)})`],
      ['Sign-in', `${signIn.issuer} is the identity provider of the demo; it asks for no password`],
    );
  if (stack.lookupUrl !== null) rows.push(['Lookup service', stack.lookupUrl]);
  if (temporalUiUrl !== null)
    rows.push([
      'Temporal Web UI',
      `${temporalUiUrl}/namespaces/lockstep/workflows${changeId === undefined ? '' : `?query=${filter}`}`,
    ]);
  if (changeId !== undefined) rows.push(['This change', `./lockstep status ${changeId}`]);
  if (configurationFile !== undefined) rows.push(['Configuration', configurationFile]);
  return rows.map(([title, where]) => `  ${pad(title, 16)}  ${where}`);
}

const fullName = (name: string): string =>
  people.find((person) => person.name === name)?.fullName ?? name;

const tryNext = [
  `Next, in another terminal (one of ${fullName(REFUSED)}'s accounts will refuse the password that the others accept):`,
  `  ./lockstep change ${REFUSED} --watch`,
];

const STOP =
  'Ctrl-C stops everything. "npm start" continues with the same data, "npm start -- --fresh" starts from scratch.';
