import { type Entry, EqualityFilter } from 'ldapts';
import { asksNothing, type TargetPolicy } from '../../model/policy/target-policy';
import { search, textOf } from '../ldap/accounts';
import type { Link, Reply } from '../ldap/link';
import { numberOf } from '../ldap/policies';

/**
 * The policy of the domain, and the fine-grained ones, which only administrators see unless they were given away. History
 * and minimum age are left out: they do not bind a reset.
 */
export async function readPolicies(link: Link): Promise<Reply<readonly TargetPolicy[]>> {
  const root = await search(link, '', { scope: 'base', attributes: ['defaultNamingContext'] });
  if (!root.ok) return root;
  const domain = root.value[0] ? textOf(root.value[0], 'defaultNamingContext') : null;
  if (domain === null) return { ok: true, value: [] };
  const own = await search(link, domain, {
    scope: 'base',
    attributes: ['minPwdLength', 'pwdProperties'],
  });
  if (!own.ok) return own;
  const fine = await search(link, `CN=Password Settings Container,CN=System,${domain}`, {
    scope: 'one',
    filter: new EqualityFilter({ attribute: 'objectClass', value: 'msDS-PasswordSettings' }),
    attributes: ['cn', 'msDS-MinimumPasswordLength', 'msDS-PasswordComplexityEnabled'],
  });
  return {
    ok: true,
    value: [...own.value.map(policyOfDomain), ...(fine.ok ? fine.value.map(finePolicy) : [])],
  };
}

const COMPLEX = 0x1;
/** MS-SAMR §3.1.1.7.1; the fifth kind, letters without case, is not in ASCII. */
const COMPLEX_TYPES = 3;

const policyOfDomain = (entry: Entry): TargetPolicy => ({
  ...asksNothing,
  name: 'the domain',
  minLength: numberOf(entry, 'minPwdLength'),
  minCharacterTypes: (numberOf(entry, 'pwdProperties') & COMPLEX) === 0 ? 0 : COMPLEX_TYPES,
});

const finePolicy = (entry: Entry): TargetPolicy => ({
  ...asksNothing,
  name: textOf(entry, 'cn') ?? entry.dn,
  minLength: numberOf(entry, 'msDS-MinimumPasswordLength'),
  minCharacterTypes: textOf(entry, 'msDS-PasswordComplexityEnabled') === 'TRUE' ? COMPLEX_TYPES : 0,
});
