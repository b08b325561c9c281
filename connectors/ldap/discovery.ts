import type { SrvRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { NotSent } from './failures';

/** Servers that the DNS names for a domain (RFC 2782), by `ldaps+srv://example.com` or `ldap+srv://example.com`. */

export type ResolveSrv = (name: string) => Promise<readonly SrvRecord[]>;

/** Vendor code of our own: the DNS names no server that may be used. */
export const NO_SERVER = 'srv_no_server';

/** The port of LDAPS, for records of LDAP: a domain of Windows has no others. */
const LDAPS_PORT = 636;

interface Domain {
  readonly url: string;
  readonly serverName?: string | undefined;
}

/** Returns the addresses of the servers, in order of preference. @throws NotSent */
export type Discover = () => Promise<readonly string[]>;

/** @param random a number from 0 to 1; it is drawn once for each server, so that a worker keeps its order */
export function discoverOf(
  { url, serverName }: Domain,
  resolveSrv: ResolveSrv = ownResolver(),
  random: () => number = Math.random,
): Discover | null {
  const { protocol, hostname, port } = new URL(url);
  if (!protocol.endsWith('+srv:')) return null;
  const scheme = protocol.slice(0, -'+srv:'.length);
  const draws = new Map<string, number>();
  const drawOf = ({ name, port: at }: SrvRecord): number => {
    const key = `${name}:${at}`;
    const drawn = draws.get(key) ?? random();
    draws.set(key, drawn);
    return drawn;
  };
  return async () => {
    const found = await recordsOf(scheme, hostname, port, resolveSrv).catch((error) => {
      throw new NotSent('unreachable', (error as NodeJS.ErrnoException).code ?? null);
    });
    const usable = found.filter(
      ({ name }) => name !== '' && (serverName !== undefined || isInside(hostname, name)),
    );
    if (usable.length === 0) throw new NotSent('unreachable', NO_SERVER);
    return inOrder(usable, drawOf).map(({ name, port: at }) => `${scheme}://${name}:${at}`);
  };
}

async function recordsOf(
  scheme: string,
  domain: string,
  port: string,
  resolveSrv: ResolveSrv,
): Promise<readonly SrvRecord[]> {
  if (scheme === 'ldaps') {
    const secure = await resolveSrv(`_ldaps._tcp.${domain}`).catch(noneIfUnknown);
    if (secure.length > 0) return secure;
  }
  const records = await resolveSrv(`_ldap._tcp.${domain}`);
  if (scheme === 'ldap') return records;
  return records.map((record) => ({ ...record, port: Number(port || LDAPS_PORT) }));
}

function noneIfUnknown(error: NodeJS.ErrnoException): readonly SrvRecord[] {
  if (error.code === 'ENOTFOUND' || error.code === 'ENODATA') return [];
  throw error;
}

/**
 * Whether a server belongs to the domain. Answers of the DNS can be forged, and a certificate for the name of any other
 * server could be that of an attacker (RFC 6125 §6.2.1). A part such as `site._sites` is no part of the domain.
 */
function isInside(domain: string, name: string): boolean {
  const suffix = domain.replace(/^.*\._[^.]*\./, '').toLowerCase();
  const server = name.toLowerCase();
  return server === suffix || server.endsWith(`.${suffix}`);
}

/**
 * By priority, and within one by weight: a server is the first one as often as its share of the weights. That is the
 * order of the draws when each is taken to the power of 1/weight (Efraimidis and Spirakis).
 */
export function inOrder(
  records: readonly SrvRecord[],
  drawOf: (record: SrvRecord) => number,
): readonly SrvRecord[] {
  const keyOf = (record: SrvRecord) => drawOf(record) ** (1 / Math.max(record.weight, LEAST));
  return [...records].sort(
    (one, other) => one.priority - other.priority || keyOf(other) - keyOf(one),
  );
}

/** A server without a weight is chosen rarely next to others that have one (RFC 2782). */
const LEAST = 0.1;

function ownResolver(): ResolveSrv {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  return (name) => resolver.resolveSrv(name);
}
