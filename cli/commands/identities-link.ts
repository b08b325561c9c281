import { Command, Option } from 'commander';
import { callerChecks } from '../../model/people/one-time-link';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { OneTimeLink } from '../http/answers';
import { action, type Session } from '../session';
import { relative } from '../text/times';

interface Options {
  readonly check: string;
  readonly reason: string;
  readonly comment?: string;
  readonly mail?: true;
}

const checks = Object.entries(callerChecks).map(([check, says]) => `${check} (${says})`);

export const oneTimeLinkCommand = (): Command =>
  new Command('one-time-link')
    .description(
      'Makes a link with which a person who has forgotten the password sets a new one. It works once, for some minutes. Check who is calling first.',
    )
    .argument('<who>', 'name of the person')
    .addOption(
      new Option('--check <how>', `how you have checked the caller: ${checks.join(', ')}`)
        .choices(Object.keys(callerChecks))
        .makeOptionMandatory(),
    )
    .requiredOption('--reason <text>', 'why, such as the number of a ticket; the audit records it')
    .option('--mail', 'send the link to the mail address of the person instead of printing it')
    .option('--comment <text>', 'what else the audit should record; required with --check other')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep identities one-time-link alice --check called-back --reason "ticket 4711"',
            'prints a link for alice, after a call back at a number on file',
          ],
        ],
      }),
    )
    .action(action(makeLink));

async function makeLink({ output, api }: Session, who: string, wanted: Options): Promise<Exit> {
  const lockstep = await api();
  const { mail, ...checked } = wanted;
  const made = await lockstep.send<OneTimeLink>('POST', ['identities', who, 'one-time-link'], {
    body: { ...checked, deliver: mail === true ? 'mail' : 'agent' },
    missing: `There is no person ${who} whom this key may help. "lockstep identities list" lists the people.`,
  });
  const ends = `The link works once and ends ${relative(made.expiresAt, Date.now())}.`;
  if (made.code === null) {
    output.show(made, () => [`A mail with the link is on its way to ${made.sentTo}. ${ends}`]);
    return 'done';
  }
  const page = new URL(made.page, lockstep.url).href;
  output.note(`${ends} Send it only to an address or number that was on file before the call.`);
  output.show({ ...made, page }, () => [`${page}#${made.code}`]);
  return 'done';
}
