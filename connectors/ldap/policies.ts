import { type Entry, EqualityFilter } from 'ldapts';
import { asksNothing, type TargetPolicy } from '../../model/target-policy';
import { search, textOf, valuesOf } from './accounts';
import type { Link, Reply } from './link';

/** What the directory asks of passwords, as far as the service account may read it. */
export async function readPolicies(
  link: Link,
  base: string,
): Promise<Reply<readonly TargetPolicy[]>> {
  const overlay = await overlayPolicies(link, base);
  const config = await search(link, 'cn=config', { scope: 'base', attributes: serverAttributes });
  return {
    ok: true,
    value: [
      ...overlay.map(policyOfOverlay),
      ...(config.ok ? config.value.flatMap((entry) => policyOfServer(entry) ?? []) : []),
    ],
  };
}

const overlayAttributes = [
  'pwdCheckQuality',
  'pwdMinLength',
  'pwdMaxLength',
  'pwdInHistory',
  'pwdMinAge',
  'pwdMustChange',
  'pwdSafeModify',
];

/** The policies of slapo-ppolicy that can be seen below the naming context of the accounts. */
export async function overlayPolicies(link: Link, base: string): Promise<readonly Entry[]> {
  const root = await search(link, '', { scope: 'base', attributes: ['namingContexts'] });
  const contexts = root.ok ? root.value.flatMap((entry) => valuesOf(entry, 'namingContexts')) : [];
  const context = contexts
    .map(String)
    .filter((suffix) => base.toLowerCase().endsWith(suffix.toLowerCase()))
    .sort((one, other) => other.length - one.length)[0];
  if (context === undefined) return [];
  const reply = await search(link, context, {
    filter: new EqualityFilter({ attribute: 'objectClass', value: 'pwdPolicy' }),
    attributes: overlayAttributes,
  });
  return reply.ok ? reply.value : [];
}

export const numberOf = (entry: Entry, attribute: string, fallback = 0): number => {
  const text = textOf(entry, attribute);
  return text === null ? fallback : Number(text);
};

/** slapo-ppolicy(5): lengths are bytes, and are looked at only where the quality is. */
function policyOfOverlay(entry: Entry): TargetPolicy {
  const checked = numberOf(entry, 'pwdCheckQuality') > 0;
  const most = numberOf(entry, 'pwdMaxLength');
  return {
    ...asksNothing,
    name: entry.dn,
    countsBytes: true,
    minLength: checked ? numberOf(entry, 'pwdMinLength') : 0,
    maxLength: checked && most > 0 ? most : null,
    history: numberOf(entry, 'pwdInHistory'),
    minAgeSeconds: numberOf(entry, 'pwdMinAge'),
  };
}

const serverAttributes = [
  'passwordCheckSyntax',
  'passwordMinLength',
  'passwordMinAlphas',
  'passwordMinUppers',
  'passwordMinLowers',
  'passwordMinDigits',
  'passwordMinSpecials',
  'passwordMinCategories',
  'passwordMaxRepeats',
  'passwordHistory',
  'passwordInHistory',
  'passwordMinAge',
];

/**
 * The policy of a 389 Directory Server, in its configuration ("Core server configuration attributes").
 * @returns null when the entry is of another server, or may not be read
 */
export function policyOfServer(entry: Entry): TargetPolicy | null {
  const checked = textOf(entry, 'passwordCheckSyntax');
  if (checked === null) return null;
  const minAgeSeconds = numberOf(entry, 'passwordMinAge');
  const remembers = textOf(entry, 'passwordHistory') === 'on';
  const history = remembers ? numberOf(entry, 'passwordInHistory', 6) : 0;
  const policy = { ...asksNothing, name: 'the server', history, minAgeSeconds };
  if (checked !== 'on') return policy;
  return {
    ...policy,
    minLength: numberOf(entry, 'passwordMinLength', 8),
    minAlpha: numberOf(entry, 'passwordMinAlphas'),
    minUpper: numberOf(entry, 'passwordMinUppers'),
    minLower: numberOf(entry, 'passwordMinLowers'),
    minNumeric: numberOf(entry, 'passwordMinDigits'),
    minSpecial: numberOf(entry, 'passwordMinSpecials'),
    minCharacterTypes: numberOf(entry, 'passwordMinCategories', 3),
    maxRepeatedChars: numberOf(entry, 'passwordMaxRepeats'),
  };
}
