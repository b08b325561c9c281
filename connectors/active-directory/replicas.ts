import { AndFilter, EqualityFilter, ExtensibleFilter } from 'ldapts';
import type { Replica } from '../../model/captures/replica';
import { search, textOf } from '../ldap/accounts';
import type { Link, Reply } from '../ldap/link';

/**
 * Flags of userAccountControl that mark a computer as a domain controller (MS-ADTS §2.2.16): SERVER_TRUST a writable one,
 * PARTIAL_SECRETS a read-only one.
 */
const SERVER_TRUST = 0x2000;
const PARTIAL_SECRETS = 0x4000000;
const BIT_AND = '1.2.840.113556.1.4.803';

/** Reads the domain controllers of the domain. The list is empty if the server names no domain. */
export async function readDomainControllers(link: Link): Promise<Reply<readonly Replica[]>> {
  const root = await search(link, '', { scope: 'base', attributes: ['defaultNamingContext'] });
  if (!root.ok) return root;
  const domain = root.value[0] ? textOf(root.value[0], 'defaultNamingContext') : null;
  if (domain === null) return { ok: true, value: [] };
  const [writable, readOnly] = [
    await controllers(link, domain, SERVER_TRUST, true),
    await controllers(link, domain, PARTIAL_SECRETS, false),
  ];
  if (!writable.ok) return writable;
  return readOnly.ok ? { ok: true, value: [...writable.value, ...readOnly.value] } : readOnly;
}

async function controllers(
  link: Link,
  domain: string,
  flag: number,
  writable: boolean,
): Promise<Reply<readonly Replica[]>> {
  const flagged = new ExtensibleFilter({
    matchType: 'userAccountControl',
    rule: BIT_AND,
    value: String(flag),
  });
  const isComputer = new EqualityFilter({ attribute: 'objectClass', value: 'computer' });
  const reply = await search(link, domain, {
    scope: 'sub',
    filter: new AndFilter({ filters: [isComputer, flagged] }),
    attributes: ['dNSHostName', 'cn'],
  });
  if (!reply.ok) return reply;
  const hosts = reply.value.map((entry) => textOf(entry, 'dNSHostName') ?? textOf(entry, 'cn'));
  return {
    ok: true,
    value: hosts.filter((host) => host !== null).map((host) => ({ host, writable })),
  };
}
