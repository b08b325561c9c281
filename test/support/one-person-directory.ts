import { type Directory, ldifEntry, ssha } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';

/** A directory with a service account, which may write everything, and one person, `uid=ada`. */
export function onePersonDirectory(suffix: string, servicePassword: string): Directory {
  const service = `cn=lockstep,${suffix}`;
  const hash = ssha(Secret.fromText(servicePassword));
  return {
    suffix,
    adminHash: hash,
    policy: {},
    rules: [`access to * by dn.exact="${service}" write by anonymous auth by * none`],
    ldif: [
      ldifEntry(suffix, { objectClass: 'domain', dc: suffix.slice('dc='.length) }),
      ldifEntry(service, {
        objectClass: ['organizationalRole', 'simpleSecurityObject'],
        cn: 'lockstep',
        userPassword: hash,
      }),
      ldifEntry(`uid=ada,${suffix}`, {
        objectClass: 'inetOrgPerson',
        uid: 'ada',
        cn: 'ada',
        sn: 'ada',
        userPassword: ssha(Secret.fromText('the first password')),
      }),
    ].join(''),
  };
}
