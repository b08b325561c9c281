import type { Entry } from 'ldapts';
import { search, textOf } from './accounts';
import type { Link } from './link';
import { overlayPolicies } from './policies';

/**
 * Why a server would ignore a forced change of an account: the name of the switch that its policy lacks. Null if the
 * switch is on, or cannot be read.
 */

/** Attribute of an account that names its own policy. */
export const OWN_POLICY = 'pwdPolicySubentry';

/** slapo-ppolicy: without an own policy, the account has the default one, which only the configuration names. */
export async function ignoredByOverlay(link: Link, account: Entry): Promise<string | null> {
  const own = textOf(account, OWN_POLICY);
  const policies =
    own === null ? await overlayPolicies(link, account.dn) : await entryAt(link, own, OVERLAY);
  const isOn = policies.some((policy) => textOf(policy, OVERLAY) === 'TRUE');
  return policies.length === 0 || isOn ? null : OVERLAY;
}

const OVERLAY = 'pwdMustChange';

/** 389 Directory Server: without an own policy, the account has that of the server. */
export async function ignoredBy389(link: Link, account: Entry): Promise<string | null> {
  const [policy] = await entryAt(link, textOf(account, OWN_POLICY) ?? 'cn=config', DS389);
  return policy !== undefined && textOf(policy, DS389) === 'off' ? DS389 : null;
}

const DS389 = 'passwordMustChange';

async function entryAt(link: Link, dn: string, attribute: string): Promise<readonly Entry[]> {
  const reply = await search(link, dn, { scope: 'base', attributes: [attribute] });
  return reply.ok ? reply.value : [];
}
