import { Attribute, Change, type Entry } from 'ldapts';
import type { Finding } from '../contract';
import { type NativeIds, search, textOf, valuesOf } from '../ldap/accounts';
import { ok, warning, wrong } from '../ldap/findings';
import type { Link } from '../ldap/link';
import { anAccount, lacksRights } from '../ldap/probe';
import type { ActiveDirectorySettings } from './settings';

/** What `doctor` wants to know of a domain controller, found out without changing anything. */
export async function checkActiveDirectory(
  link: Link,
  settings: ActiveDirectorySettings,
  ids: NativeIds,
): Promise<readonly Finding[]> {
  const { account, base } = await anAccount(link, settings, ids, ['allowedAttributesEffective']);
  if (account === null) return [base];
  return [
    base,
    await resetRight(link, account, settings),
    keepingRight(account),
    await policy(link),
  ];
}

/**
 * Asks for a password that is not even in quotes. Rights are looked at first, so the refusal tells, and nothing changes.
 * Seen on Samba; a Windows server may look at the value first, and then the right shows only at the first write.
 */
async function resetRight(
  link: Link,
  account: Entry,
  settings: ActiveDirectorySettings,
): Promise<Finding> {
  const malformed = new Change({
    operation: 'replace',
    modification: new Attribute({ type: 'unicodePwd', values: [Buffer.from('x')] }),
  });
  const reply = await link.ask((client) => client.modify(account.dn, malformed));
  return lacksRights(reply)
    ? wrong(
        'rights',
        `${settings.bindDn} may not reset the password of ${account.dn}. Give it the right "Reset Password".`,
      )
    : ok('rights', `${settings.bindDn} is not kept from resetting passwords.`);
}

function keepingRight(account: Entry): Finding {
  const writable = valuesOf(account, 'allowedAttributesEffective').map(String);
  return writable.some((attribute) => attribute.toLowerCase() === 'pwdlastset')
    ? ok(
        'keep-must-change',
        'pwdLastSet may be written, so "must change at the next login" is kept as it is.',
      )
    : warning(
        'keep-must-change',
        'pwdLastSet may not be written, so no password is written to accounts that must change theirs. Give the right to write it.',
      );
}

async function policy(link: Link): Promise<Finding> {
  const root = await search(link, '', { scope: 'base', attributes: ['defaultNamingContext'] });
  const domain = root.ok && root.value[0] ? textOf(root.value[0], 'defaultNamingContext') : null;
  const reply = await search(link, domain ?? '', {
    scope: 'base',
    attributes: ['minPwdLength', 'pwdProperties', 'lockoutThreshold'],
  });
  const [entry] = reply.ok ? reply.value : [];
  if (entry === undefined)
    return {
      check: 'policy',
      verdict: 'skipped',
      says: 'The password policy of the domain cannot be read.',
    };
  const complex = (Number(textOf(entry, 'pwdProperties') ?? 0) & 1) !== 0;
  return ok(
    'policy',
    `The domain wants ${textOf(entry, 'minPwdLength')} characters or more${complex ? ' of several kinds' : ''}, and locks after ${textOf(entry, 'lockoutThreshold')} wrong logins (0: never). Fine-grained policies may say otherwise.`,
  );
}
