import { z } from 'zod';
import { accepted, HttpRefused, shaped } from '../http/answers';
import type { Api } from '../http/api';
import { classify } from './errors';

const domainsShape = z.looseObject({
  value: z.array(z.looseObject({ id: z.string(), authenticationType: z.string() })),
});

/** How long the list is cached. A domain becomes federated, or stops being federated, once in years. */
const CACHED_MS = 600_000;

/** Returns the domains whose users sign in elsewhere, in lower case. Null if the service account may not read them. */
export type FederatedDomains = (signal: AbortSignal) => Promise<ReadonlySet<string> | null>;

export function federatedDomains(api: Api): FederatedDomains {
  let cached: { readonly domains: ReadonlySet<string> | null; readonly until: number } | null =
    null;
  return async (signal) => {
    if (cached !== null && performance.now() < cached.until) return cached.domains;
    const domains = await read(api, signal);
    cached = { domains, until: performance.now() + CACHED_MS };
    return domains;
  };
}

async function read(api: Api, signal: AbortSignal): Promise<ReadonlySet<string> | null> {
  const query = new URLSearchParams({ $select: 'id,authenticationType' });
  try {
    const reply = await api.ask({ method: 'GET', path: `/v1.0/domains?${query}` }, signal);
    const { value } = shaped(domainsShape, accepted(reply, classify));
    const federated = value.filter(({ authenticationType }) => authenticationType === 'Federated');
    return new Set(federated.map(({ id }) => id.toLowerCase()));
  } catch (error) {
    if (error instanceof HttpRefused && error.failure.reason === 'no_rights') return null;
    throw error;
  }
}
