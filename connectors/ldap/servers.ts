import { type Discover, discoverOf, type ResolveSrv } from './discovery';
import { NotSent } from './failures';
import { type Link, openLink } from './link';
import type { Endpoint } from './tls-socket';

/**
 * The servers of one source, the preferred one first. All connections of the source lead to the same server at a time, so
 * a login that verifies a new password asks the server that was written to.
 */
export interface Servers {
  /**
   * Opens a link to the current server, or to the first other one that works. A server is left when it cannot be
   * reached, its certificate is not trusted, or it is busy; not when it refuses the service account, because a repeat on
   * each server would lock it.
   * @param open opens a link to one server; throws NotSent
   * @throws NotSent of the current server if none works
   */
  open(open: (endpoint: Endpoint) => Promise<Link>): Promise<Link>;
  /** The servers that are known now. */
  endpoints(): readonly Endpoint[];
  /** The server in use; null before the first link was opened. */
  current(): Endpoint | null;
  /**
   * Whether the server changed a moment ago. The new one may not have a password yet that the other one was given, so
   * "wrong password" says nothing there.
   */
  changedLately(): boolean;
  close(): void;
}

const LEFT_FOR: ReadonlySet<NotSent['reason']> = new Set([
  'unreachable',
  'certificate_refused',
  'busy',
]);

/** Interval at which a server of higher priority is tried again. */
const RETURN_MS = 30_000;

/** Servers replicate a new password within seconds. */
const REPLICATION_MS = 60_000;

/** Interval at which the DNS is asked again for the servers of a domain. */
const LOOK_UP_MS = 300_000;

export interface ServerOptions {
  readonly returnMs?: number;
  readonly replicationMs?: number;
  readonly lookUpMs?: number;
  readonly resolveSrv?: ResolveSrv;
}

export function serversOf(
  settings: Endpoint & { readonly fallbackUrls?: readonly string[] | undefined },
  options: ServerOptions = {},
): Servers {
  const { returnMs = RETURN_MS, replicationMs = REPLICATION_MS } = options;
  const known = knownServers(settings, options);
  let current: Endpoint | null = null;
  let changedAt = Number.NEGATIVE_INFINITY;
  let returning: NodeJS.Timeout | undefined;
  let closed = false;

  const preferred = () => known.list().findIndex(({ url }) => url === current?.url);
  const moveTo = (endpoint: Endpoint) => {
    if (endpoint.url === current?.url) return;
    if (current !== null) changedAt = performance.now();
    current = endpoint;
  };
  // In the background, so that no call waits for a server that is still away.
  const scheduleReturn = () => {
    if (!closed && returning === undefined && preferred() > 0)
      returning = setTimeout(() => void tryPreferred(), returnMs).unref();
  };
  const tryPreferred = async () => {
    returning = undefined;
    for (const endpoint of known.list().slice(0, Math.max(0, preferred()))) {
      const link = await openLink(endpoint, endpoint.timeoutMs).catch(() => null);
      link?.destroy();
      if (link === null || closed) continue;
      moveTo(endpoint);
      break;
    }
    scheduleReturn();
  };

  return {
    endpoints: known.list,
    current: () => current,
    changedLately: () => performance.now() - changedAt < replicationMs,
    async open(open) {
      const endpoints = await known.read();
      const started = current;
      const first = endpoints.filter(({ url }) => url === started?.url);
      const others = endpoints.filter(({ url }) => url !== started?.url);
      let failure: NotSent | null = null;
      for (const endpoint of [...first, ...others]) {
        try {
          const link = await open(endpoint);
          // Another call may have moved on in the meantime, and all calls follow the first one.
          if (current?.url === started?.url) moveTo(endpoint);
          scheduleReturn();
          const isCurrent = () => current?.url === endpoint.url;
          return { ...link, usable: () => link.usable() && isCurrent() };
        } catch (error) {
          if (!(error instanceof NotSent) || !LEFT_FOR.has(error.reason)) throw error;
          failure ??= error;
        }
      }
      known.doubt();
      throw failure ?? new NotSent('unreachable');
    },
    close() {
      closed = true;
      clearTimeout(returning);
    },
  };
}

interface KnownServers {
  list(): readonly Endpoint[];
  /** The same; asks the DNS first if no server is known, and in the background if the answer is old. @throws NotSent */
  read(): Promise<readonly Endpoint[]>;
  /** None of the servers works, so the DNS is asked again before long. */
  doubt(): void;
}

function knownServers(
  settings: Endpoint & { readonly fallbackUrls?: readonly string[] | undefined },
  { lookUpMs = LOOK_UP_MS, resolveSrv }: ServerOptions,
): KnownServers {
  const endpointsOf = (urls: readonly string[]): readonly Endpoint[] =>
    [...new Set([...urls, ...(settings.fallbackUrls ?? [])])].map((url) => ({ ...settings, url }));
  const discover = discoverOf(settings, resolveSrv);
  let list = discover === null ? endpointsOf([settings.url]) : [];
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | null = null;
  const ask = (found: Discover): Promise<void> => {
    asking ??= found()
      .then((urls) => {
        list = endpointsOf(urls);
      })
      .catch((error) => {
        if (list.length === 0) list = endpointsOf([]);
        if (list.length === 0) throw error;
      })
      .finally(() => {
        askedAt = performance.now();
        asking = null;
      });
    return asking;
  };
  return {
    list: () => list,
    async read() {
      if (discover !== null && (list.length === 0 || performance.now() - askedAt > lookUpMs)) {
        const asked = ask(discover);
        if (list.length === 0) await asked;
        else asked.catch(() => {});
      }
      return list;
    },
    doubt() {
      askedAt = Number.NEGATIVE_INFINITY;
    },
  };
}
