import { captureRules, type Declined } from '../captures/capture';
import { type ChangeState, changeStates } from '../change/change';
import { type OutcomeState, outcomeStates } from '../change/outcome';
import { leaveOutSays } from '../change/plan';
import { isSignInObstacle, signInObstacles } from '../change/sign-in-prevented';
import { errors, isErrorCode } from '../errors';
import { isLookupRefusal, lookupRefusals } from '../lookup/rules';
import { isAccountAction } from '../people/account-actions';
import { callerChecks, isCallerCheck } from '../people/one-time-link';
import type { AuditRecord } from './record';

/** How serious a record is, in the words of syslog. */
export type AuditSeverity = 'info' | 'notice' | 'warning';

interface ActionRow {
  readonly severity: AuditSeverity;
  /** What happened, without the actor, as a sentence. */
  readonly says: (record: AuditRecord) => string;
}

/** What a record is about if it names nothing better. An id whose row is gone is shown as such. */
const named = ({ subject, subjectName }: AuditRecord, kind: string): string =>
  subjectName === null ? `${kind} ${subject}, which is gone` : `${kind} "${subjectName}"`;

const whose = ({ person }: AuditRecord): string => (person === null ? '' : ` of ${person}`);

const accountText = (record: AuditRecord): string => {
  const { account, source, subject } = record;
  if (account === null) return `the account ${subject}, which is gone${inSource(source)}`;
  return `the account ${account}${inSource(source)}${whose(record)}`;
};
const inSource = (source: string | null): string => (source === null ? '' : ` in ${source}`);

const row = (says: ActionRow['says'], severity: AuditSeverity = 'info'): ActionRow => ({
  says,
  severity,
});
const ofSource = (does: string, severity: AuditSeverity = 'notice'): ActionRow =>
  row(({ subject, source }) => `The source ${subject ?? source} ${does}.`, severity);
const ofWaiting = (done: string): ActionRow =>
  row(({ subject, source, detail }) => {
    const { reason } = detail;
    const of = `of the source ${subject ?? source}`;
    return typeof reason === 'string'
      ? `The accounts ${of} that wait or are parked for ${reason} were ${done}.`
      : `All waiting accounts ${of} were ${done}.`;
  }, 'notice');
const ofCaptures = (does: string): ActionRow =>
  row(({ subject }) => `The captures of ${subject} were ${does}.`, 'notice');
const ofUser = (does: string): ActionRow =>
  row(
    ({ account, subject, source }) =>
      `The identity provider of ${source} ${does} the user ${account ?? `${subject}, which is gone`}.`,
  );
const command = (does: string): ActionRow =>
  row(({ subject, person }) => {
    const what = subject === null ? 'the change' : `the account ${subject}`;
    return `It was ordered to ${does} ${what}${person === null ? '' : ` of ${person}`}.`;
  }, 'notice');
const job = (does: (record: AuditRecord) => string): ActionRow => row((record) => does(record));

const word = (value: unknown): string =>
  value === null || value === undefined ? '' : String(value);

const signIn = (says: string, severity: AuditSeverity): ActionRow =>
  row((record) => `Sign-in${whose(record)}: ${says}`, severity);

const lookedUpBy = ({ via, hostAccount, hostApplication }: AuditRecord['detail']): string => {
  if (via === 'ticket') return ', by a ticket';
  if (via !== 'host') return '';
  return `, after a sign-in with ${word(hostAccount)} in ${word(hostApplication)}`;
};

/** A record that had to wait for the database has a time of its own. */
const lookedUpAt = ({ at }: AuditRecord['detail']): string =>
  at === undefined ? '' : `, at ${word(at)}, while the database was unavailable`;

const refusalText = (reason: unknown): string =>
  isLookupRefusal(reason) ? lookupRefusals[reason] : word(reason);

/** The actions whose name is fixed. Those of changes, accounts and captures end with a state or a reason. */
export const auditActions = {
  'change.accepted': row(({ person, detail }) =>
    detail.origin === null || detail.origin === undefined
      ? `A new password of ${person} was accepted.`
      : `A password of ${person} that was changed in a source was accepted.`,
  ),
  'change.planned': row(
    ({ person, detail }) => `The change of ${person} covers ${word(detail.accounts)} accounts.`,
  ),
  'command.cancel': command('cancel'),
  'command.retry': command('retry'),
  'command.park': command('park'),
  'command.supersede': row(
    ({ person }) => `An older change of ${person} gives way to a newer one.`,
  ),
  'source.down': row(
    ({ subject, detail }) => `The source ${subject} is down. ${reasonText(detail.reason)}`.trim(),
    'warning',
  ),
  'source.up': ofSource('is up again', 'notice'),
  'source.paused': row(
    ({ subject, detail }) =>
      `The source ${subject} was paused. ${reasonText(detail.reason)}`.trim(),
    'warning',
  ),
  'source.resumed': ofSource('was resumed'),
  'source.probe': ofSource('is probed at once'),
  'source.retry': ofWaiting('retried'),
  'source.park': ofWaiting('parked'),
  'source.cancel': ofWaiting('cancelled'),
  'source.list-suspicious': row(
    ({ subject, detail }) =>
      `A list of ${subject} does not show ${word(detail.lost)} of ${word(detail.linked)} linked accounts, so nothing was unlinked by it.`,
    'warning',
  ),
  'captures.started': ofCaptures('started'),
  'captures.stopped': ofCaptures('stopped'),
  'captures.startpoint': ofCaptures('given a startpoint'),
  'captures.reset': row(
    ({ subject }) => `The history of captured and written passwords of ${subject} was cleared.`,
    'notice',
  ),
  'configuration.applied': row(({ detail }) => {
    const same = word(detail.sameAs);
    return `Configuration ${word(detail.version)} was applied${same === '' ? '' : `, which is equal to configuration ${same}`}.`;
  }, 'notice'),
  'identity.saved': row(
    ({ person, subject }) =>
      `The person ${person ?? `${subject}, who is gone,`} was added or updated.`,
  ),
  'identity.deleted': row(({ person }) => `The person ${person} was deleted.`, 'warning'),
  'identity.updated': row(
    ({ person, subject, source, detail }) =>
      `Updated these attributes of ${person ?? `${subject}, who is gone,`} from the account in ${source}: ${word(detail.attributes)}.`,
  ),
  'account.linked': row((record) => `Linked ${accountText(record)}.`),
  'account.unlinked': row(
    (record) =>
      `Unlinked ${accountText(record)}${record.detail.left === true ? ', because its source no longer lists it' : ''}.`,
    'notice',
  ),
  'account.missing': row(
    (record) => `A complete list of its source does not show ${accountText(record)} any more.`,
    'notice',
  ),
  'account.returned': row((record) => `Its source lists ${accountText(record)} again.`, 'notice'),
  'account.renamed': row((record) => `Its source has renamed ${accountText(record)}.`, 'notice'),
  'account.outdated': row(
    (record) =>
      `The link of ${accountText(record)} is outdated. ${reasonText(record.detail.problem)}`,
    'warning',
  ),
  'mapping.linked': row(
    (record) =>
      `The application ${word(record.detail.application)} uses ${accountText(record)}${record.detail.enabled === false ? ', but is disabled' : ''}.`,
  ),
  'mapping.enabled': row(
    (record) =>
      `Enabled the mapping of ${word(record.detail.application)} to ${accountText(record)}.`,
    'notice',
  ),
  'mapping.disabled': row(
    (record) =>
      `Disabled the mapping of ${word(record.detail.application)} to ${accountText(record)}.`,
    'notice',
  ),
  'mapping.deleted': row(
    (record) =>
      `Deleted the mapping of ${word(record.detail.application)} to ${accountText(record)}, with its credential.`,
    'notice',
  ),
  'mapping.credential-set': row(
    (record) =>
      `Stored a credential of ${word(record.detail.application)} for ${accountText(record)}, ${record.detail.proof === 'none' ? 'which could not be verified' : 'after it was verified'}.`,
    'notice',
  ),
  'mapping.credential-refused': row(
    (record) =>
      `Stored no credential of ${word(record.detail.application)} for ${accountText(record)}. ${reasonText(record.detail.reason)}`.trim(),
    'notice',
  ),
  'mapping.advanced': row(
    (record) =>
      `The application ${word(record.detail.application)} got the new credential${whose(record)}.`,
  ),
  'mapping.flagged': row(
    (record) =>
      `The stored credential of ${accountText(record)} may be wrong (${word(record.detail.reason)}).`,
    'warning',
  ),
  'master-key.generated': row(
    ({ subject }) => `The master key ${subject} was generated. It seals new stored credentials.`,
    'notice',
  ),
  'master-key.backed-up': row(
    ({ detail }) => `${word(detail.keys)} master keys were copied to a backup file.`,
    'notice',
  ),
  'master-key.restored': row(
    ({ detail }) => `${word(detail.keys)} master keys were restored from a backup file.`,
    'warning',
  ),
  'master-key.rotated': row(
    ({ subject, detail }) =>
      `${word(detail.credentials)} stored credentials were sealed again under the master key ${subject}.`,
    'notice',
  ),
  'sign-in.holds': signIn('the password is right.', 'info'),
  'sign-in.differs': signIn('the password is wrong.', 'warning'),
  'sign-in.unknown': signIn('the auth account could not be asked.', 'notice'),
  'sign-in.blocked': signIn('refused, because of earlier wrong passwords.', 'warning'),
  'scim-user.created': ofUser('pushed'),
  'scim-user.updated': ofUser('updated'),
  'scim-user.removed': ofUser('removed'),
  'api-key.created': row(
    (record) => `Created ${named(record, 'the API key')} with ${word(record.detail.scopes)}.`,
    'notice',
  ),
  'api-key.rotated': row((record) => `Rotated ${named(record, 'the API key')}.`, 'notice'),
  'api-key.revoked': row((record) => `Revoked ${named(record, 'the API key')}.`, 'notice'),
  'credential.read': row(
    ({ subject, person, account, detail }) =>
      `Looked up the credential of ${account} in ${subject} for ${person}${lookedUpBy(detail)}${lookedUpAt(detail)}.`,
    'notice',
  ),
  'credential.refused': row(
    ({ subject, detail }) =>
      `A look-up of a credential${subject === null ? '' : ` in ${subject}`} was refused: ${refusalText(detail.reason)}.`,
    'warning',
  ),
  'ticket.issued': row(
    ({ subject, person }) => `Issued a ticket of ${person} for ${subject}.`,
    'notice',
  ),
  'one-time-link.created': row(({ person, detail }) => {
    const check = isCallerCheck(detail.check) ? callerChecks[detail.check] : word(detail.check);
    const comment = word(detail.comment);
    return `Made a one-time link for ${person}, after this check: ${check}. Reason: ${word(detail.reason)}.${comment === '' ? '' : ` Comment: ${comment}.`}`;
  }, 'notice'),
  'one-time-link.used': row(
    ({ person, subject }) => `The one-time link ${subject} of ${person} has started a change.`,
    'notice',
  ),
  'session.started': row(
    ({ subject, detail }) =>
      `Signed in to the console${detail.scopes === undefined ? '' : ` as ${word(detail.scopes)}`} (session ${subject}).`,
  ),
  'session.ended': row(({ subject }) => `Ended the console session ${subject}.`),
  'relay.created': row(
    ({ subject, source }) => `Registered the relay ${subject} of ${source}.`,
    'notice',
  ),
  'relay.gap': row(
    ({ subject, detail }) => `The relay ${subject} lost ${word(detail.missing)} captures.`,
    'warning',
  ),
  'relay.missed': row(
    ({ subject, source }) => `${source} had trimmed changes before the relay ${subject} read them.`,
    'warning',
  ),
  'adapter.initialised': row(
    ({ source, detail }) =>
      `The adapter of ${source} has connected, ${detail.ownKey === true ? 'with a key of its own' : 'without a key of its own'}.`,
    'notice',
  ),
  'adapter.online': row(({ source }) => `The adapter of ${source} reported that it is online.`),
  'adapter.offline': row(({ source }) => `The adapter of ${source} reported that it goes offline.`),
  'adapter.delivered': row(
    (record) =>
      `The password of ${accountText(record)} was delivered to the adapter (message ${word(record.detail.message)}, delivery ${word(record.detail.delivery)}).`,
  ),
  'adapter.acknowledged': row(
    ({ source, detail }) =>
      `The adapter of ${source} acknowledged the message ${word(detail.message)} with ${word(detail.result)}${detail.effect === 'too_late' ? ', which was too late' : ''}.`,
  ),
  'adapter.gave-up': row(
    ({ source, detail }) =>
      `The message ${word(detail.message)} to the adapter of ${source} was given up after ${word(detail.deliveries)} deliveries (${word(detail.result)}).`,
    'warning',
  ),
  'job.check': job(({ source, detail }) =>
    source === null
      ? `A check of a source that is not configured was requested, of the kind ${word(detail.kind)}.`
      : `A check of ${source} was requested.`,
  ),
  'job.refresh': job(
    ({ source, detail }) =>
      `A refresh of ${source} was requested${detail.preview === true ? ', as a preview' : ''}.`,
  ),
  'job.look': job(
    ({ source }) => `The times of the last password changes in ${source} were requested.`,
  ),
  'job.verify-audit': job(() => 'A verification of the audit was requested.'),
  'audit.keyed': row(
    ({ subject, detail }) =>
      `The audit is chained with the key ${subject} from record ${word(detail.from)} on.`,
    'notice',
  ),
  'notice.tested': row(({ subject }) => `A test notice was sent to the channel ${subject}.`),
  'notice.failed': row(
    ({ subject }) => `A notice could not be delivered by the channel ${subject}.`,
    'warning',
  ),
  'notice.channel-closed': row(
    ({ subject }) => `The channel ${subject} was closed, because its receiver is gone.`,
    'warning',
  ),
  'epoch.created': row(
    ({ subject }) => `The key ${subject} was created, to which passwords are sealed.`,
  ),
  'epoch.destroyed': row(({ subject }) => `The key ${subject} was destroyed.`),
} as const satisfies Record<string, ActionRow>;

export type FixedAction = keyof typeof auditActions;

/** What happened, without the actor. An action that this release does not know is shown by its name. */
export const auditSays = (record: AuditRecord): string => actionOf(record).says(record);

export const severityOf = (record: AuditRecord): AuditSeverity => actionOf(record).severity;

function actionOf({ action }: AuditRecord): ActionRow {
  if (Object.hasOwn(auditActions, action)) return auditActions[action as FixedAction];
  const [family = '', ...rest] = action.split('.');
  const ending = rest.join('.');
  if (family === 'change' && Object.hasOwn(changeStates, ending))
    return endOf(ending as ChangeState);
  if (family === 'account' && Object.hasOwn(outcomeStates, ending))
    return outcomeOf(ending as OutcomeState);
  if (family === 'account' && isAccountAction(rest[0] ?? ''))
    return actionAtAccount(rest[0] ?? '', rest[1] ?? '');
  if (action === 'capture.kept') return keptCapture;
  if (family === 'capture') return captureOf(ending);
  return row(() => action);
}

const actionAtAccount = (act: string, step: string): ActionRow =>
  row(
    (record) =>
      `${act === 'unlock' ? 'Unlocking' : 'Forcing a change of'} ${accountText(record)}: ${step}. ${reasonText(record.detail.reason)}`.trim(),
    step === 'failed' ? 'warning' : 'notice',
  );

const badEnds: readonly ChangeState[] = ['partial', 'refused', 'failed', 'expired'];

const endOf = (state: ChangeState): ActionRow =>
  row(
    ({ person, detail }) =>
      `The change of ${person} has ended: ${detail.says ?? changeStates[state].says}. ${reasonText(detail.reason)}`.trim(),
    badEnds.includes(state) ? 'warning' : 'info',
  );

const badOutcomes: readonly OutcomeState[] = ['rejected', 'expired', 'parked'];

const outcomeOf = (state: OutcomeState): ActionRow =>
  row(
    ({ subject, person, detail }) =>
      `${subject} of ${person}: ${outcomeStates[state].says}. ${reasonText(detail.reason)}`.trim(),
    badOutcomes.includes(state) ? 'warning' : 'info',
  );

/** Captures that report what Lockstep knows already are no trouble. */
const harmless: readonly string[] = [
  'echo',
  'duplicate',
  'stale',
  'unconfirmed',
  'before_startpoint',
];

const keptCapture = row(
  ({ account, source }) =>
    `A password change by ${account}${inSource(source)} was captured, and is kept until the account is linked to a person.`,
  'notice',
);

const captureOf = (reason: string): ActionRow =>
  row(
    ({ person, account, source }) => {
      const where = account === null ? inSource(source) : ` by ${account}${inSource(source)}`;
      const who = person === null ? 'an account that is linked to no person' : person;
      return `A password change of ${who}${where} was captured and had no effect. ${reasonText(reason)}`.trim();
    },
    harmless.includes(reason) ? 'info' : 'warning',
  );

/** The sentence about a reason; its code if there is no sentence; nothing if there is no reason. */
export function reasonText(reason: unknown): string {
  if (typeof reason !== 'string' || reason === 'origin') return '';
  if (Object.hasOwn(captureRules, reason)) return captureRules[reason as Declined].says;
  if (Object.hasOwn(leaveOutSays, reason)) return leaveOutSays[reason as keyof typeof leaveOutSays];
  if (isSignInObstacle(reason)) return signInObstacles[reason].says;
  if (isErrorCode(reason)) return errors[reason].says;
  return reason === 'not_attested'
    ? 'No operator has attested that the provider pushes the real password.'
    : `(${reason})`;
}
