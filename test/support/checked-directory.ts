import { Attribute, Change } from 'ldapts';
import { type LdapAdmin, newClient } from '../connectors/ldap-subject';
import { server } from './servers';

/** Adds a password policy that uses the check module. @returns DN of the policy */
export async function checkedPolicy(
  { client }: LdapAdmin,
  suffix: string,
  module: string,
  argument: string,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const cn = `checked-${Math.random().toString(36).slice(2)}`;
  const dn = `cn=${cn},ou=policies,${suffix}`;
  await client.add(dn, {
    objectClass: ['device', 'pwdPolicy', 'pwdPolicyChecker'],
    cn,
    pwdAttribute: 'userPassword',
    pwdCheckQuality: '2',
    pwdCheckModule: module,
    pwdCheckModuleArg: argument,
    ...more,
  });
  return dn;
}

/** Changes a password as a service account that is bound by the policy. */
export async function changeUnderPolicy(suffix: string, dn: string, next: string): Promise<void> {
  const client = newClient();
  await client.bind(`cn=lockstep,ou=services,${suffix}`, server('slapd').lockstep ?? '');
  const modification = new Attribute({ type: 'userPassword', values: [next] });
  try {
    await client.modify(dn, new Change({ operation: 'replace', modification }));
  } finally {
    await client.unbind();
  }
}
