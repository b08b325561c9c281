/**
 * The name in Lockstep of an application or a group that ENTSSO knows by another name: lower-case letters, digits and
 * hyphens, a letter first, at most 40.
 * @returns null if nothing is left
 */
export function lockstepName(name: string): string | null {
  const cleaned = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return cleaned === '' ? null : cleaned;
}

/** The part of `DOMAIN\name` after the domain. */
export const withoutDomain = (account: string): string => account.replace(/^[^\\]*\\/, '');
