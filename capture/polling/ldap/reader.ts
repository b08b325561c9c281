import { failureOf, search } from '../../../connectors/ldap/accounts';
import { type Link, NoReply, NotSent, type Reply } from '../../../connectors/ldap/link';
import { newCall, poolOf } from '../../../connectors/ldap/pool';
import { serviceLogin } from '../../../connectors/ldap/service';
import {
  type DirectorySettings,
  directorySettings,
  userFilter,
} from '../../../connectors/ldap/settings';
import type { Secret } from '../../../model/secret';
import { type PollerTools, PollFailure } from '../poller';

const { url, ca, serverName, bindDn, bindPassword, base, timeoutMs } = directorySettings;

/** Settings of every poller that reads a directory. */
export const readerSettings = {
  ...{ url, ca, serverName, bindDn, bindPassword, base, timeoutMs },
  userFilter: userFilter('(objectClass=*)'),
};

export type ReaderSettings = Omit<DirectorySettings, 'poolSize' | 'attributes'>;

/** A directory as its service account may read it, over one connection that is kept. */
export interface Reader {
  /** For what looks up accounts. */
  readonly settings: DirectorySettings;
  /** @throws PollFailure */
  ask<T>(request: (link: Link) => Promise<Reply<T>>): Promise<T>;
  /** Whether the entry can be seen. @throws PollFailure */
  sees(dn: string): Promise<boolean>;
  close(): void;
}

/**
 * A password that was refused is not tried again for so long, unless another one is in its place: nobody stands here to
 * say that it was put right, and each attempt is a step towards the lock of the service account.
 */
const REFUSED_MS = 3_600_000;

export function openReader(from: ReaderSettings, tools: PollerTools): Reader {
  const settings: DirectorySettings = { ...from, poolSize: 1, attributes: [] };
  const login = serviceLogin(settings, tools);
  const mayTry = refusals(() => tools.resolve(settings.bindPassword));
  const links = poolOf(1, (call) => mayTry(() => login.open(call)));

  const reader: Reader = {
    settings,
    async ask(request) {
      const reply = await links.use(newCall(), request).catch((error) => {
        throw failureIn(error);
      });
      if (reply.ok) return reply.value;
      const { reason, vendorCode } = failureOf(reply);
      throw new PollFailure(reason === 'no_account' ? 'unknown' : reason, vendorCode);
    },
    async sees(dn) {
      const found = await reader.ask(async (link) => {
        const reply = await search(link, dn, { scope: 'base', attributes: ['1.1'] });
        return !reply.ok && reply.code === NO_SUCH_OBJECT ? { ok: true, value: [] } : reply;
      });
      return found.length > 0;
    },
    close: links.close,
  };
  return reader;
}

const NO_SUCH_OBJECT = 32;

function failureIn(error: unknown): unknown {
  if (error instanceof NotSent) return new PollFailure(error.reason, error.vendorCode);
  return error instanceof NoReply ? new PollFailure('unreachable') : error;
}

function refusals(resolve: () => Secret) {
  let refused: { readonly secret: Secret; readonly until: number; readonly error: Error } | null =
    null;
  return async <T>(logIn: () => Promise<T>): Promise<T> => {
    const secret = resolvedBy(resolve);
    try {
      if (secret !== null && refused?.secret.equals(secret) && performance.now() < refused.until)
        throw refused.error;
      return await logIn();
    } catch (error) {
      const isNew = error instanceof NotSent && error !== refused?.error;
      if (isNew && error.reason === 'service_credential_refused' && secret !== null) {
        refused?.secret.destroy();
        refused = { secret: secret.copy(), until: performance.now() + REFUSED_MS, error };
      }
      throw error;
    } finally {
      secret?.destroy();
    }
  };
}

/** Null where the login says that it cannot be read. */
function resolvedBy(resolve: () => Secret): Secret | null {
  try {
    return resolve();
  } catch {
    return null;
  }
}
