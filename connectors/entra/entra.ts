import { randomUUID } from 'node:crypto';
import type { AccountRef, Connector, ConnectorTools, Finding, WriteAnswer } from '../contract';
import { actFailure } from '../http/act';
import { type Api, apiOf } from '../http/api';
import { FORM_TYPE, formBytes } from '../http/body';
import { ok, warning } from '../http/checks';
import { openHttp } from '../http/client';
import { connectorOver } from '../http/connector';
import { clientCredentials, type TokenRequest } from '../http/credentials';
import { noBody } from '../http/success';
import type { ActFailure } from '../http/vendor';
import type { PreparedWrite } from '../http/write';
import { type FederatedDomains, federatedDomains } from './domains';
import { classify } from './errors';
import type { EntraSettings } from './settings';
import { pathOf, refOf, stateOf, type User, usersOf } from './users';

export function openEntra(settings: EntraSettings, tools: ConnectorTools): Connector {
  const { graphUrl, loginUrl, attributes } = settings;
  const http = openHttp(graphUrl, settings);
  const login = openHttp(loginUrl, settings);
  const credential = clientCredentials(login, settings.clientSecret, tools, tokenRequest(settings));
  const api = apiOf(http, credential, JSON_TYPE, classify);
  const users = usersOf(api, attributes);
  const federated = federatedDomains(api);
  return connectorOver({
    api,
    ...users.lookups,
    attributes: users.names,
    find: users.search,
    page: users.page,
    state: stateOf,
    prepare: (user, _request, signal) => prepare(federated, user, signal),
    // Entra ID ends a lock by itself, and has no request for it.
    actions: {
      'force-change': (user, signal) => forceChange(api, federated, user, signal),
    },
    verify: null,
    check: (signal) => checkDomains(federated, signal),
    writeToNoAccount: () => writeTo(randomUUID(), null),
    close() {
      http.close();
      login.close();
    },
  });
}

const JSON_TYPE = 'application/json';

const tokenRequest =
  ({ tenant, clientId, graphUrl }: EntraSettings): TokenRequest =>
  (secret) => ({
    method: 'POST',
    path: `/${tenant}/oauth2/v2.0/token`,
    headers: { accept: JSON_TYPE, 'content-type': FORM_TYPE },
    body: formBytes({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: secret,
      scope: `${graphUrl}/.default`,
    }),
  });

async function prepare(
  federated: FederatedDomains,
  user: User,
  signal: AbortSignal,
): Promise<PreparedWrite<User> | WriteAnswer> {
  const elsewhere = passwordElsewhere(user, await federated(signal));
  if (elsewhere !== null)
    return { result: 'rejected', reason: 'no_own_password', vendorCode: elsewhere };
  return writeTo(user.id, refOf(user));
}

/** Returns where the password of a user is kept, as a vendor code. Null if it is kept in Entra ID. */
function passwordElsewhere(user: User, federated: ReadonlySet<string> | null): string | null {
  const [, domain = ''] = user.userPrincipalName.toLowerCase().split('@');
  if (user.externalUserState != null) return 'guest';
  if (user.onPremisesSyncEnabled === true) return 'on_premises';
  return federated?.has(domain) ? 'federated_domain' : null;
}

/** The password stays the same, because the request states only that it must be changed. */
async function forceChange(
  api: Api,
  federated: FederatedDomains,
  user: User,
  signal: AbortSignal,
): Promise<ActFailure | null> {
  const elsewhere = passwordElsewhere(user, await federated(signal));
  if (elsewhere !== null) return actFailure('no_own_password', elsewhere);
  const value = { passwordProfile: { forceChangePasswordNextSignIn: true } };
  const content = { type: JSON_TYPE, value };
  const request = { method: 'PATCH', path: pathOf(user.id), content } as const;
  await api.ask({ ...request, success: { 204: noBody(true) } }, signal);
  return null;
}

/** The request always states forceChangePasswordNextSignIn, because Graph has defaulted to a forced change. */
const writeTo = (id: string, account: AccountRef | null): PreparedWrite<User> => ({
  request: (password) => ({
    method: 'PATCH',
    path: pathOf(id),
    content: {
      type: JSON_TYPE,
      value: { passwordProfile: { password, forceChangePasswordNextSignIn: false } },
    },
    success: { 204: noBody({ account, user: null }) },
  }),
});

async function checkDomains(
  federated: FederatedDomains,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const domains = await federated(signal);
  if (domains === null)
    return [
      warning(
        'domains',
        'The service account cannot read the domains, so Lockstep cannot recognize users of a federated domain. Give the app registration the permission Domain.Read.All.',
      ),
    ];
  const names = [...domains].join(', ');
  return [
    ok(
      'domains',
      domains.size === 0
        ? 'No domain is federated.'
        : `Lockstep writes no passwords of users of these federated domains: ${names}.`,
    ),
  ];
}
