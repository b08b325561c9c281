import { type NoticeFacts, shownTime, type Texts } from '../facts';

const list = (sources: readonly string[]): string => sources.join(', ');
const help = ({ contact }: NoticeFacts): string => contact ?? 'your help desk';
const again = ({ reminder }: NoticeFacts): string => (reminder ? 'Reminder: ' : '');
const some = ({ names, count }: NoticeFacts): string =>
  names.join(', ') + (count > names.length ? ` and ${count - names.length} more` : '');
const endOf = ({ endsAt }: NoticeFacts): string =>
  endsAt === null ? 'an unknown time' : shownTime(endsAt);
const because = ({ reason }: NoticeFacts): string[] => (reason === null ? [] : [reason]);

export const english: Texts = {
  password_changed: (facts) => ({
    subject: 'Your password was changed',
    paragraphs: [
      `The password of ${facts.person} was changed at ${shownTime(facts.at)}.`,
      `If you did not ask for this, call ${help(facts)} now. Otherwise you need to do nothing.`,
    ],
  }),
  one_time_link: (facts) => ({
    subject: 'Your link for a new password',
    paragraphs: [
      `Your help desk has made this link for ${facts.person}. It works once, until ${shownTime(facts.endsAt ?? facts.at)}, and leads to a page on which you choose a new password:`,
      facts.link ?? '',
      `If you did not ask for this, call ${help(facts)} now.`,
    ],
  }),
  password_incomplete: (facts) => ({
    subject: 'Your new password does not work everywhere',
    paragraphs: [
      `The new password of ${facts.person} was not accepted by: ${list(facts.sources)}. ${facts.unsure.length === 0 ? 'There, your previous password is still valid.' : `It is not known which of your passwords is valid in: ${list(facts.unsure)}.`}`,
      `Choose another password in the way in which you chose the last one, or call ${help(facts)}.`,
    ],
  }),
  password_expiring: (facts) => ({
    subject: 'Your password expires soon',
    paragraphs: [
      `The password of ${facts.person} (${facts.about}) expires at ${endOf(facts)}.`,
      `Change it before then, in the way in which you changed it last, or ask ${help(facts)}. Lockstep never asks for a password in a message, and this message has no link.`,
    ],
  }),
  password_expired: (facts) => ({
    subject: 'Your password has expired',
    paragraphs: [
      `The password of ${facts.person} (${facts.about}) expired at ${endOf(facts)}.`,
      `Change it now, in the way in which you changed it last, or ask ${help(facts)}. Lockstep never asks for a password in a message, and this message has no link.`,
    ],
  }),
  change_parked: (facts) => ({
    subject: `A password change in ${facts.subject} needs you`,
    paragraphs: [
      `Attempts to change an account in ${facts.subject} failed for an unknown reason, so Lockstep has parked it. Further accounts of this source that are parked today cause no further notice.`,
      ...because(facts),
      `Run "lockstep status ${facts.changeId}", correct the cause, then run "lockstep retry ${facts.changeId}".`,
    ],
  }),
  source_down: (facts) => ({
    subject: `${again(facts)}The source ${facts.subject} is down`,
    paragraphs: [
      `The source ${facts.subject} has been down since ${shownTime(facts.at)}. Its accounts wait, and get the new passwords once it is up.`,
      ...because(facts),
      `Check the source. "lockstep doctor ${facts.subject}" shows what is wrong.`,
    ],
  }),
  source_paused: (facts) => ({
    subject: `${again(facts)}The source ${facts.subject} is paused`,
    paragraphs: [
      `The source ${facts.subject} has been paused since ${shownTime(facts.at)}. Its accounts wait until an operator resumes it.`,
      ...because(facts),
      `Correct the cause, then run "lockstep sources resume ${facts.subject}".`,
    ],
  }),
  source_up: (facts) => ({
    subject: `The source ${facts.subject} works again`,
    paragraphs: [
      `The source ${facts.subject} has worked again since ${shownTime(facts.at)}. The accounts that waited for it get their passwords now.`,
      'You need to do nothing.',
    ],
  }),
  source_unstable: (facts) => ({
    subject: `The source ${facts.subject} is unstable`,
    paragraphs: [
      `The source ${facts.subject} went down several times within an hour, each time only for a moment.`,
      `Check the source and the network to it. "lockstep doctor ${facts.subject}" shows what is wrong now.`,
    ],
  }),
  relay_silent: (facts) => ({
    subject: `${again(facts)}A relay of ${facts.about} is silent`,
    paragraphs: [
      `The relay ${facts.subject} of the source ${facts.about} was last heard at ${shownTime(facts.at)}. Passwords that are changed there are not carried on until it is back.`,
      'Check the machine of the relay, its service, and its connection to the API. "lockstep captures" lists all relays.',
    ],
  }),
  relay_heard: (facts) => ({
    subject: `The relay of ${facts.about} is back`,
    paragraphs: [
      `The relay ${facts.subject} of the source ${facts.about} was heard again at ${shownTime(facts.at)}.`,
      'You need to do nothing.',
    ],
  }),
  key_ending: (facts) => ({
    subject: `The API key "${facts.about}" ends soon`,
    paragraphs: [
      `The API key "${facts.about}" (${facts.subject}) ends at ${endOf(facts)}. From then on its requests are refused.`,
      'Create a new key with "lockstep keys create", put it in the place of the old one, then revoke the old one with "lockstep keys revoke".',
    ],
  }),
  master_key_unsaved: (facts) => ({
    subject: 'The master key has no backup',
    paragraphs: [
      `No backup of the master key ${facts.subject} of the worker is recorded. If its key folder is lost, every stored credential of single sign-on is lost with it.`,
      'Run on the machine of the worker: lockstep sso secret backup FILE. Keep the file and its passphrase in separate places outside the database.',
    ],
  }),
  accounts_missing: (facts) => ({
    subject: `Linked accounts are missing in ${facts.subject} (${facts.count})`,
    paragraphs: [
      `A complete list of ${facts.subject} no longer shows the linked accounts of: ${some(facts)}.`,
      ...(facts.left
        ? [
            `${facts.subject} is an auth source, so people who have no other account there have probably left.`,
          ]
        : []),
      facts.endsAt === null
        ? 'The accounts stay linked. If the accounts were deleted, remove the links with "lockstep identities unlink"; otherwise check which accounts the service account may read.'
        : `Unless the accounts are listed again, the first refresh after ${shownTime(facts.endsAt)} unlinks them. If that is wrong, check which accounts the service account may read.`,
    ],
  }),
  accounts_returned: (facts) => ({
    subject: `Missing accounts are back in ${facts.subject} (${facts.count})`,
    paragraphs: [
      `${facts.subject} lists these people's accounts again, which were missing: ${some(facts)}.`,
      'You need to do nothing.',
    ],
  }),
  accounts_unlinked: (facts) => ({
    subject: `Missing accounts of ${facts.subject} were unlinked (${facts.count})`,
    paragraphs: [
      `The accounts of these people were missing in ${facts.subject} for too long: ${some(facts)}. Lockstep has removed the links and deleted the stored credentials of these accounts.`,
      'If people have left, remove them with "lockstep identities delete".',
    ],
  }),
  list_suspicious: (facts) => ({
    subject: `A list of ${facts.subject} is probably wrong`,
    paragraphs: [
      `Too many linked accounts are missing at once in a list of ${facts.subject} (${facts.count}). Nothing is unlinked by such a list.`,
      `Check the settings and the rights of the service account with "lockstep doctor ${facts.subject}". If the accounts were really deleted, raise leavers.maxLostPercent of the source and refresh it.`,
    ],
  }),
  test: (facts) => ({
    subject: 'Test notice of Lockstep',
    paragraphs: [
      `An operator tests the channel ${facts.subject}.`,
      'You need to do nothing: the channel works.',
    ],
  }),
};
