import { InvalidArgumentError } from 'commander';
import { parseSpan } from './text/times';

/** Values of options; commander says which option a refusal is about. */

export function seconds(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a number of seconds.');
}

export function count(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a number, 1 or more.');
}

/** The name may hold colons; the source may not. */
export function sourceAndName(text: string): { source: string; name: string } {
  const [, source, name] = /^([^:]+):(.+)$/s.exec(text) ?? [];
  if (source === undefined || name === undefined)
    throw new InvalidArgumentError('Give the source, a colon and the name of the account there.');
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
  throw new InvalidArgumentError('Give one or more, separated by commas.');
}

const SCOPES = ['trigger', 'capture', 'sign-in', 'read', 'admin'];

export function scopes(text: string): string[] {
  const values = commaSeparated(text);
  if (values.every((value) => SCOPES.includes(value))) return values;
  throw new InvalidArgumentError(`There are: ${SCOPES.join(', ')}.`);
}

export function moment(text: string): Date {
  const at = new Date(text);
  if (/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(at.getTime()))
    return at;
  throw new InvalidArgumentError('Give a time such as 2026-01-31T12:00:00.000Z.');
}

/** @returns milliseconds */
export function lifetime(text: string): number {
  const ms = parseSpan(text);
  if (ms !== null) return ms;
  throw new InvalidArgumentError('Give a time such as 12h, 90d or 4w.');
}
