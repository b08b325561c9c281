import { type Entry, EqualityFilter } from 'ldapts';
import { asksNothing, type TargetPolicy } from '../../model/policy/target-policy';
import { search, textOf } from '../ldap/accounts';
import type { Link, Reply } from '../ldap/link';
import { numberOf } from '../ldap/policies';

/**
 * Reads the password policy of the domain and the fine-grained policies. Only administrators may read the latter, unless
 * the right was delegated. History and minimum age are omitted, because they do not bind a reset.
 */
export async function readPolicies(link: Link): Promise<Reply<readonly TargetPolicy[]>> {
  const root = await search(link, '', { scope: 'base', attributes: ['defaultNamingContext'] });
  if (!root.ok) return root;
  const domain = root.value[0] ? textOf(root.value[0], 'defaultNamingContext') : null;
  if (domain === null) return { ok: true, value: [] };
  const domainPolicy = await search(link, domain, {
    scope: 'base',
    attributes: ['minPwdLength', 'pwdProperties'],
  });
  if (!domainPolicy.ok) return domainPolicy;
  const fineGrained = await search(link, `CN=Password Settings Container,CN=System,${domain}`, {
    scope: 'one',
    filter: new EqualityFilter({ attribute: 'objectClass', value: 'msDS-PasswordSettings' }),
    attributes: ['cn', 'msDS-MinimumPasswordLength', 'msDS-PasswordComplexityEnabled'],
  });
  return {
    ok: true,
    value: [
      ...domainPolicy.value.map(policyOfDomain),
      ...(fineGrained.ok ? fineGrained.value.map(fineGrainedPolicy) : []),
    ],
  };
}

const COMPLEX = 0x1;
/** Kinds of characters that complexity requires (MS-SAMR §3.1.1.7.1). Its fifth kind, letters without case, is not ASCII. */
const COMPLEX_TYPES = 3;

const policyOfDomain = (entry: Entry): TargetPolicy => ({
  ...asksNothing,
  name: 'the domain',
  minLength: numberOf(entry, 'minPwdLength'),
  minCharacterTypes: (numberOf(entry, 'pwdProperties') & COMPLEX) === 0 ? 0 : COMPLEX_TYPES,
});

const fineGrainedPolicy = (entry: Entry): TargetPolicy => ({
  ...asksNothing,
  name: textOf(entry, 'cn') ?? entry.dn,
  minLength: numberOf(entry, 'msDS-MinimumPasswordLength'),
  minCharacterTypes: textOf(entry, 'msDS-PasswordComplexityEnabled') === 'TRUE' ? COMPLEX_TYPES : 0,
});
