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

/** @returns milliseconds */
export function lifetime(text: string): number {
  const ms = parseSpan(text);
  if (ms !== null) return ms;
  throw new InvalidArgumentError('Give a time such as 12h, 90d or 4w.');
}
