import { z } from 'zod';
import { accepted, HttpRefused, shaped } from '../http/answers';
import type { Api } from '../http/api';
import { classify } from './errors';

const domainsShape = z.looseObject({
  value: z.array(z.looseObject({ id: z.string(), authenticationType: z.string() })),
});

/** A domain becomes a federated one, or ceases to be, once in years. */
const KNOWN_MS = 600_000;

/** The domains whose users sign in elsewhere; null when the service account may not see them. */
export type FederatedDomains = (signal: AbortSignal) => Promise<ReadonlySet<string> | null>;

export function federatedDomains(api: Api): FederatedDomains {
  let known: { readonly domains: ReadonlySet<string> | null; readonly until: number } | null = null;
  return async (signal) => {
    if (known !== null && performance.now() < known.until) return known.domains;
    const domains = await read(api, signal);
    known = { domains, until: performance.now() + KNOWN_MS };
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
