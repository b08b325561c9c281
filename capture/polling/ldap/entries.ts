import type { Entry } from 'ldapts';
import { textOf, valuesOf } from '../../../connectors/ldap/accounts';
import { PollFailure } from '../poller';

/** An entry of `cn=changelog` (draft-good-ldap-changelog-04). */
export interface LoggedChange {
  /** DN of the changelog entry. */
  readonly dn: string;
  /** Its `changeNumber`. */
  readonly number: number;
  /** Unique to this entry, whereas numbers start again when a changelog is recreated. */
  readonly id: string;
  readonly time: Date;
  /** Its `changeType` in lower case, such as `modify`. */
  readonly type: string;
  /** DN of the changed entry, as the client that changed it spelled it. */
  readonly target: string;
  /** Native id of the changed entry; null if the server does not record it. */
  readonly targetId: string | null;
  /** The modifications in LDIF. They may hold passwords, so the caller zeroes them. */
  readonly changes: Buffer;
  /** Further attributes that the server reports as changed, in lower case. */
  readonly touched: readonly string[];
}

const CHANGES = 'changes';
/** Attributes in which PingDirectory names the changed attributes, including those whose values it leaves out. */
const TOUCHED = ['ds-changelog-target-attribute', 'ds-changelog-excluded-user-attribute'];

/** The attributes to request of a changelog entry. */
export const wanted = {
  attributes: [
    ...['changeNumber', 'changeTime', 'changeType', 'targetDn', 'targetUniqueId', CHANGES],
    ...['nsUniqueId', 'localCSN', 'entryUUID'],
    ...TOUCHED,
  ],
  explicitBufferAttributes: [CHANGES],
};

/** Parses a changelog entry. @throws PollFailure (`no_rights`) if the service account cannot read all of its attributes */
export function loggedChange(entry: Entry): LoggedChange {
  const text = (attribute: string) => textOf(entry, attribute) ?? missing(attribute);
  const type = text('changeType').toLowerCase();
  const [changes = null] = valuesOf(entry, CHANGES);
  const time = timeIn(text('changeTime'));
  return {
    dn: entry.dn,
    number: Number(text('changeNumber')),
    id:
      textOf(entry, 'nsUniqueId') ??
      textOf(entry, 'localCSN') ??
      textOf(entry, 'entryUUID') ??
      text('changeTime'),
    time: time ?? missing('changeTime'),
    type,
    target: text('targetDn'),
    targetId: textOf(entry, 'targetUniqueId'),
    changes: changes === null && type === 'modify' ? missing(CHANGES) : asBytes(changes),
    touched: TOUCHED.flatMap((name) => valuesOf(entry, name).map(String)).map((name) =>
      name.toLowerCase(),
    ),
  };
}

const asBytes = (value: string | Buffer | null): Buffer =>
  Buffer.isBuffer(value) ? value : Buffer.from(value ?? '');

function missing(attribute: string): never {
  throw new PollFailure('no_rights', attribute);
}

const FRACTION_DIGITS = 3;
const LAST_OF_SECOND = 999;

/**
 * Parses a generalized time (RFC 4517 §3.3.13) in UTC; null if it is not one. A time without a fraction becomes the end of its
 * second, so that the change is not considered older than a change which Lockstep accepted in the same second, and dropped.
 */
export function timeIn(text: string): Date | null {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.,](\d+))?Z$/.exec(text);
  if (parts === null) return null;
  const [year = 0, month = 1, ...rest] = parts.slice(1, 7).map(Number);
  const [day, hour, minute, second] = rest;
  const fraction = parts[7]?.slice(0, FRACTION_DIGITS).padEnd(FRACTION_DIGITS, '0');
  const ms = fraction === undefined ? LAST_OF_SECOND : Number(fraction);
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second, ms));
}
