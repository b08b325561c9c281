import type { OutgoingNotice } from '../contract';
import type { CaepSettings } from './settings';

const CREDENTIAL_CHANGE = 'https://schemas.openid.net/secevent/caep/event-type/credential-change';
const VERIFICATION = 'https://schemas.openid.net/secevent/ssf/event-type/verification';

/**
 * The claims of a security event token (RFC 8417) with a CAEP credential-change event, or with a verification event of
 * Shared Signals for a test. `iat` is that of the event, so that a repeated delivery has the same claims.
 * @returns null when the person has no identifier for this receiver
 */
export function claimsOf(
  notice: OutgoingNotice,
  settings: CaepSettings,
  issuer: string,
): Readonly<Record<string, unknown>> | null {
  const { id, kind, facts, person, startedBy } = notice;
  const at = Math.floor(facts.at.getTime() / 1000);
  const common = { iss: issuer, jti: id, iat: at, aud: settings.audience };
  if (kind === 'test') {
    const subject = { format: 'opaque', id: facts.subject };
    return { ...common, sub_id: subject, events: { [VERIFICATION]: { state: id } } };
  }
  const subject = person === null ? null : subjectOf(person, settings);
  if (subject === null) return null;
  return {
    ...common,
    ...(facts.changeId === null ? {} : { txn: facts.changeId }),
    sub_id: subject,
    events: {
      [CREDENTIAL_CHANGE]: {
        event_timestamp: at,
        credential_type: 'password',
        change_type: 'update',
        ...(startedBy === null ? {} : { initiating_entity: startedBy }),
      },
    },
  };
}

/** The subject identifier (RFC 9493 §3.2) of a person; null when their attribute is missing or unfit. */
function subjectOf(
  { name, attributes }: NonNullable<OutgoingNotice['person']>,
  { subject, subjectAttribute, subjectIssuer }: CaepSettings,
): Readonly<Record<string, unknown>> | null {
  const value = subjectAttribute === 'name' ? name : attributes[subjectAttribute];
  if (value === undefined || value === '') return null;
  switch (subject) {
    case 'email':
      return { format: 'email', email: value };
    case 'iss_sub':
      return { format: 'iss_sub', iss: subjectIssuer, sub: value };
    case 'opaque':
      return { format: 'opaque', id: value };
    case 'account':
      return value.includes('@') ? { format: 'account', uri: `acct:${value}` } : null;
  }
}
