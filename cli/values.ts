import { InvalidArgumentError } from 'commander';
import { givenScopes } from '../model/api/scopes';
import { parseSpan } from './text/times';

/** Parsers of option values. Commander adds the name of the option to the message of an `InvalidArgumentError`. */

export function seconds(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number of seconds, at most 999999.');
}

export function count(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 1 to 999999.');
}

/** Splits `source:name` at the first colon: the name may contain colons, the source may not. */
export function sourceAndName(text: string): { source: string; name: string } {
  const [, source, name] = /^([^:]+):(.+)$/s.exec(text) ?? [];
  if (source === undefined || name === undefined)
    throw new InvalidArgumentError(
      'Give the source, a colon and the name of the account in that source.',
    );
  return { source, name };
}

export function attributeAndValue(text: string): { attribute: string; value: string } {
  const [, attribute, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (attribute === undefined || value === undefined)
    throw new InvalidArgumentError('Give the attribute, an equals sign and its value.');
  return { attribute, value };
}

export function commaSeparated(text: string): string[] {
  const values = text.split(',').filter((value) => value !== '');
  if (values.length > 0) return values;
  throw new InvalidArgumentError('Give one or more values, separated by commas.');
}

const SCOPES: readonly string[] = givenScopes;

export function scopes(text: string): string[] {
  const values = commaSeparated(text);
  if (values.every((value) => SCOPES.includes(value))) return values;
  throw new InvalidArgumentError(`Choose from ${SCOPES.join(', ')}.`);
}

/** Parses a time in ISO 8601 with its offset. */
export function moment(text: string): Date {
  const at = new Date(text);
  if (/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(at.getTime()))
    return at;
  throw new InvalidArgumentError('Give a time such as 2026-01-31T12:00:00.000Z.');
}

/** Parses `12h`, `90d` or `4w`. @returns milliseconds */
export function lifetime(text: string): number {
  const ms = parseSpan(text);
  if (ms !== null) return ms;
  throw new InvalidArgumentError('Give a duration such as 12h, 90d or 4w.');
}

/** Parses a time in ISO 8601 with its offset, or an age such as `24h`. */
export function momentOrAge(text: string): Date {
  const ms = parseSpan(text);
  return ms === null ? moment(text) : new Date(Date.now() - ms);
}

/** Parses a time in ISO 8601 with its offset, or a duration from now such as `30min`. */
export function momentOrSpan(text: string): Date {
  const ms = parseSpan(text);
  return ms === null ? moment(text) : new Date(Date.now() + ms);
}

export function position(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give the position of a record, a whole number from 0.');
}
