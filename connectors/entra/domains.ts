import { z } from 'zod';
import { cached } from '../cached';
import { nullIf } from '../http/answers';
import type { Api } from '../http/api';
import { json } from '../http/success';

const domainsShape = z.looseObject({
  value: z.array(z.looseObject({ id: z.string(), authenticationType: z.string() })),
});

/** How long the list is cached. A domain becomes federated, or stops being federated, once in years. */
const CACHED_MS = 600_000;

/** Returns the domains whose users sign in elsewhere, in lower case. Null if the service account may not read them. */
export type FederatedDomains = (signal: AbortSignal) => Promise<ReadonlySet<string> | null>;

export const federatedDomains = (api: Api): FederatedDomains =>
  cached(CACHED_MS, (signal) => read(api, signal));

async function read(api: Api, signal: AbortSignal): Promise<ReadonlySet<string> | null> {
  const query = new URLSearchParams({ $select: 'id,authenticationType' });
  const [path, success] = [`/v1.0/domains?${query}`, { 200: json(domainsShape) }];
  const domains = await nullIf('no_rights', api.ask({ method: 'GET', path, success }, signal));
  if (domains === null) return null;
  const federated = domains.value.filter((domain) => domain.authenticationType === 'Federated');
  return new Set(federated.map(({ id }) => id.toLowerCase()));
}
