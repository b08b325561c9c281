import { isInherited } from '../configuration/names';
import type { Person } from './correlation';

/** A rule that makes the name of an account from a person, as the mapping wizard of ENTSSO does. */
export interface NameRule {
  /** An attribute of the person; `name` is the name of the person. */
  readonly from: string;
  /** Removes `DOMAIN\` at the beginning and `@domain` at the end. */
  readonly stripDomain: boolean;
  readonly case: 'upper' | 'lower' | null;
  readonly prefix: string;
  readonly suffix: string;
  /** Characters of the whole name at most. What the rule makes of the person is cut, never the prefix or the suffix. */
  readonly limit: number | null;
}

const beforeBackslash = /^[^\\]*\\/;
const afterAt = /@[^@]*$/;

/** @returns null for a person without that attribute, and when nothing is left of it */
export function generatedName(rule: NameRule, { name, attributes }: Person): string | null {
  const value = rule.from === 'name' ? name : isInherited(rule.from) ? '' : attributes[rule.from];
  const stripped = rule.stripDomain
    ? (value ?? '').replace(beforeBackslash, '').replace(afterAt, '')
    : (value ?? '');
  const cased =
    rule.case === null
      ? stripped
      : rule.case === 'upper'
        ? stripped.toUpperCase()
        : stripped.toLowerCase();
  const around = [...rule.prefix, ...rule.suffix].length;
  const left = [...cased].slice(
    0,
    rule.limit === null ? undefined : Math.max(0, rule.limit - around),
  );
  return left.length === 0 ? null : `${rule.prefix}${left.join('')}${rule.suffix}`;
}
