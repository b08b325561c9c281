import type { Entry } from 'ldapts';
import { search, textOf } from './accounts';
import type { ServerActions } from './act';
import type { Link } from './link';
import { overlayPolicies } from './policies';
import { replace } from './requests';
import { EXPIRES, LOCKED_TIME, MUST_CHANGE, RESET, RETRIES, type Vendor } from './vendors';

/** Attribute of an account that names its own policy. */
const OWN_POLICY = 'pwdPolicySubentry';

/**
 * Returns the switch that the policy of an account lacks, so that the server would ignore a forced change. Null if it is
 * on, or cannot be read. Without an own policy, the account has the default one, which only the configuration names.
 */
async function ignoredByOverlay(link: Link, account: Entry): Promise<string | null> {
  const own = textOf(account, OWN_POLICY);
  const policies =
    own === null ? await overlayPolicies(link, account.dn) : await entryAt(link, own, OVERLAY);
  const isOn = policies.some((policy) => textOf(policy, OVERLAY) === 'TRUE');
  return policies.length === 0 || isOn ? null : OVERLAY;
}

const OVERLAY = 'pwdMustChange';

/** The same for 389 Directory Server: without an own policy, the account has that of the server. */
async function ignoredBy389(link: Link, account: Entry): Promise<string | null> {
  const [policy] = await entryAt(link, textOf(account, OWN_POLICY) ?? 'cn=config', DS389);
  return policy !== undefined && textOf(policy, DS389) === 'off' ? DS389 : null;
}

const DS389 = 'passwordMustChange';

async function entryAt(link: Link, dn: string, attribute: string): Promise<readonly Entry[]> {
  const reply = await search(link, dn, { scope: 'base', attributes: [attribute] });
  return reply.ok ? reply.value : [];
}

const byServer: Readonly<Record<NonNullable<Vendor['acts']>, ServerActions>> = {
  overlay: {
    // slapo-ppolicy deletes pwdFailureTime with it (ITS#8762).
    unlock: { changes: [replace(LOCKED_TIME)], undo: [] },
    'force-change': {
      changes: [replace(RESET, 'TRUE')],
      undo: [replace(RESET)],
      attributes: [OWN_POLICY],
      ignored: ignoredByOverlay,
    },
  },
  ds389: {
    // The server ignores accountUnlockTime while the count is 0.
    unlock: { changes: [replace(RETRIES, '0')], undo: [] },
    'force-change': {
      changes: [replace(EXPIRES, MUST_CHANGE)],
      undo: [],
      attributes: [OWN_POLICY],
      ignored: ignoredBy389,
    },
  },
};

/** How a server ends a lock and forces a change. Empty if no service account can make it do that. */
export const actionsOf = ({ acts }: Vendor): ServerActions => (acts === null ? {} : byServer[acts]);
