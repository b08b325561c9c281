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
  readonly endpoints: readonly Endpoint[];
  current(): Endpoint;
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

export interface ServerTimes {
  readonly returnMs: number;
  readonly replicationMs: number;
}

export function serversOf(
  settings: Endpoint & { readonly fallbackUrls?: readonly string[] | undefined },
  { returnMs, replicationMs }: ServerTimes = { returnMs: RETURN_MS, replicationMs: REPLICATION_MS },
): Servers {
  const endpoints: readonly Endpoint[] = [settings.url, ...(settings.fallbackUrls ?? [])].map(
    (url) => ({
      ...settings,
      url,
    }),
  );
  let current = 0;
  let changedAt = Number.NEGATIVE_INFINITY;
  let returning: NodeJS.Timeout | undefined;
  let closed = false;

  const moveTo = (index: number) => {
    if (index === current) return;
    current = index;
    changedAt = performance.now();
    clearTimeout(returning);
    if (current !== 0) scheduleReturn();
  };
  // In the background, so that no call waits for a server that is still away.
  const scheduleReturn = () => {
    if (!closed) returning = setTimeout(() => void tryPreferred(), returnMs).unref();
  };
  const tryPreferred = async () => {
    for (const [index, endpoint] of endpoints.slice(0, current).entries()) {
      const link = await openLink(endpoint, endpoint.timeoutMs).catch(() => null);
      link?.destroy();
      if (link !== null && !closed) return moveTo(index);
    }
    scheduleReturn();
  };

  return {
    endpoints,
    current: () => endpoints[current] ?? settings,
    changedLately: () => performance.now() - changedAt < replicationMs,
    async open(open) {
      const started = current;
      const others = [...endpoints.keys()].filter((index) => index !== started);
      let failure: NotSent | null = null;
      for (const index of [started, ...others]) {
        const endpoint = endpoints[index] ?? settings;
        try {
          const link = await open(endpoint);
          // Another call may have moved on in the meantime, and all calls follow the first one.
          if (current === started) moveTo(index);
          return { ...link, usable: () => link.usable() && current === index };
        } catch (error) {
          if (!(error instanceof NotSent) || !LEFT_FOR.has(error.reason)) throw error;
          failure ??= error;
        }
      }
      throw failure ?? new NotSent('unreachable');
    },
    close() {
      closed = true;
      clearTimeout(returning);
    },
  };
}
