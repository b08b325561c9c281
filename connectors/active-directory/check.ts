import { Attribute, Change, type Entry } from 'ldapts';
import type { Finding } from '../contract';
import { type NativeIds, search, textOf, valuesOf } from '../ldap/accounts';
import { ok, warning, wrong } from '../ldap/findings';
import type { Link } from '../ldap/link';
import { answered, lacksRights, refusesWrites, sampleAccount } from '../ldap/probe';
import type { ActiveDirectorySettings } from './settings';

/** Returns the findings of `lockstep doctor` about a domain controller. It changes nothing. */
export async function* checkActiveDirectory(
  link: Link,
  settings: ActiveDirectorySettings,
  ids: NativeIds,
): AsyncGenerator<Finding> {
  const { account, base } = await sampleAccount(link, settings, ids, [
    'allowedAttributesEffective',
  ]);
  yield base;
  if (account !== null) {
    yield await answered('rights', resetRight(link, account, settings));
    yield keepingRight(account);
  }
  yield await answered('policy', policy(link));
}

/**
 * Requests a malformed password (without quotes). The server checks the rights first, so its result code shows whether
 * they suffice, and nothing changes. Observed on Samba. A Windows server may check the value first; a missing right then
 * shows only at the first write.
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
  const refusal = refusesWrites(reply);
  if (refusal !== null) return wrong('rights', refusal);
  return lacksRights(reply)
    ? wrong(
        'rights',
        `${settings.bindDn} may not reset the password of ${account.dn}. Give it the right "Reset Password".`,
      )
    : ok('rights', `${settings.bindDn} may reset passwords, as far as the server shows.`);
}

function keepingRight(account: Entry): Finding {
  const writable = valuesOf(account, 'allowedAttributesEffective').map(String);
  return writable.some((attribute) => attribute.toLowerCase() === 'pwdlastset')
    ? ok(
        'keep-must-change',
        'The service account may write pwdLastSet, so "must change at the next login" stays as it is.',
      )
    : warning(
        'keep-must-change',
        'The service account may not write pwdLastSet, so Lockstep writes no password to an account that must change its own. Give the service account the right to write pwdLastSet.',
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
      says: 'The service account cannot read the password policy of the domain.',
    };
  const complex = (Number(textOf(entry, 'pwdProperties') ?? 0) & 1) !== 0;
  return ok(
    'policy',
    `The domain requires ${textOf(entry, 'minPwdLength')} characters or more${complex ? ' of several kinds' : ''}, and locks an account after ${textOf(entry, 'lockoutThreshold')} failed logins (0: never). Fine-grained policies may override this.`,
  );
}
