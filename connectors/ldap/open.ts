import { EqualityFilter } from 'ldapts';
import type { Connector, ConnectorTools, VerifyAnswer } from '../contract';
import { type Accounts, type NativeIds, textOf } from './accounts';
import { type Aim, act } from './act';
import { checkDirectory } from './check';
import { compareHash } from './compare-hash';
import { ASSERTION, AssertionControl, PasswordPolicyControl } from './controls';
import type { Dialect } from './dialect';
import { openDirectory } from './directory';
import { dnNaming } from './naming';
import { principalByWhoAmI } from './own-account';
import { readPolicies } from './policies';
import { classifyLogin, loggedIn } from './refusals';
import { readSuppliers } from './replicas';
import { serverOf } from './server';
import { actionsOf } from './server-actions';
import type { ServerOptions } from './servers';
import type { LdapSettings } from './settings';
import { verifyByExop } from './verify-exop';
import { passwordWriter } from './write';
import { isStill } from './write-asserting';

/** The id of 389 Directory Server, which has no entryUUID without the plugin for it: four groups of eight digits. */
const UNIQUE_ID = /^[0-9a-f]{8}(-[0-9a-f]{8}){3}$/i;

export const entryUuids: NativeIds = {
  attributes: ['entryUUID', 'nsUniqueId'],
  binary: false,
  idsOf: (entry) => ['entryUUID', 'nsUniqueId'].flatMap((name) => textOf(entry, name) ?? []),
  filterFor: (id) =>
    new EqualityFilter({ attribute: UNIQUE_ID.test(id) ? 'nsUniqueId' : 'entryUUID', value: id }),
};

/** A connector for any LDAPv3 server with entryUUID (RFC 4530). `vendors.ts` has what differs between servers. */
export function openLdap(
  settings: LdapSettings,
  tools: ConnectorTools,
  options?: ServerOptions,
): Connector {
  const accounts: Accounts = {
    settings,
    ids: entryUuids,
    naming: dnNaming(settings.exactNamingAttributes),
    principal: principalByWhoAmI,
  };
  // The entry may get another name, and another entry its name, after it was read.
  const aim: Aim = async (link, account) => ({
    dn: account.name,
    controls: (await serverOf(link)).controls.has(ASSERTION)
      ? [new AssertionControl(isStill(account, accounts, null))]
      : [],
  });
  const dialect: Dialect = {
    accounts,
    view: async (link) => (await serverOf(link)).vendor.view,
    // Most servers answer a login of a locked or disabled account with "invalid credentials" only.
    loginExplainsRefusal: false,
    verify: verifyByExop,
    async logIn(link, dn, password): Promise<VerifyAnswer> {
      const policy = new PasswordPolicyControl();
      const reply = await link.ask((client) => client.bind(dn, password.text(), [policy]));
      return reply.ok ? loggedIn(policy.error) : classifyLogin(reply, policy.error);
    },
    compareHash: (link, request) =>
      compareHash(link, request, accounts, settings.passwordAttribute),
    setPassword: passwordWriter(settings, accounts),
    async act(link, request) {
      const { vendor } = await serverOf(link);
      return act(link, request, { accounts, view: vendor.view, actions: actionsOf(vendor), aim });
    },
    check: (link) => checkDirectory(link, settings, entryUuids),
    policies: (link) => readPolicies(link, settings.base),
    replicas: (link) => readSuppliers(link, settings.base),
  };
  return openDirectory(settings, tools, dialect, options);
}
