import type { Entry } from 'ldapts';
import { textOf, valuesOf } from '../../../connectors/ldap/accounts';
import { PollFailure } from '../poller';

/** An entry of `cn=changelog` (draft-good-ldap-changelog-04). */
export interface LoggedChange {
  readonly dn: string;
  readonly number: number;
  /** Of this entry alone: where a changelog was made anew, its numbers begin again. */
  readonly id: string;
  readonly time: Date;
  readonly type: string;
  /** As whoever changed it wrote the name. */
  readonly target: string;
  /** Null where the server does not say it. */
  readonly targetId: string | null;
  /** LDIF; whoever asked zeroes it. */
  readonly changes: Buffer;
  /** Attributes that the server names besides, in small letters. */
  readonly touched: readonly string[];
}

const CHANGES = 'changes';
/** Where PingDirectory names the attributes that were changed, also those whose values it leaves out. */
const TOUCHED = ['ds-changelog-target-attribute', 'ds-changelog-excluded-user-attribute'];

export const wanted = {
  attributes: [
    ...['changeNumber', 'changeTime', 'changeType', 'targetDn', 'targetUniqueId', CHANGES],
    ...['nsUniqueId', 'localCSN', 'entryUUID'],
    ...TOUCHED,
  ],
  explicitBufferAttributes: [CHANGES],
};

/** @throws PollFailure when not all of it may be read */
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
 * RFC 4517 §3.3.13. Of a time without a fraction it is the end of the second: what was changed at its beginning, too, is not
 * older then than something that Lockstep accepted in that second, and so it is not dropped.
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
