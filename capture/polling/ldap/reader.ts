import { search } from '../../../connectors/ldap/accounts';
import { NoReply, NotSent } from '../../../connectors/ldap/failures';
import type { Link, Reply } from '../../../connectors/ldap/link';
import { newCall, poolOf } from '../../../connectors/ldap/pool';
import { failureOf } from '../../../connectors/ldap/read-refusals';
import { serversOf } from '../../../connectors/ldap/servers';
import { serviceLogin } from '../../../connectors/ldap/service-login';
import {
  type DirectorySettings,
  directorySettings,
  ldapsUrl,
  reference,
  userFilter,
} from '../../../connectors/ldap/settings';
import { type PollerTools, PollFailure, REFUSED_FOR_MS } from '../poller';

const { ca, serverName, bindDn, base, timeoutMs } = directorySettings;

/** Settings of every poller that reads a directory. */
export const readerSettings = {
  ...{ ca, serverName, bindDn, base, timeoutMs },
  url: ldapsUrl.describe('Address of the server to read, as ldaps://host:port.'),
  bindPassword: reference.describe('Password of the service account.'),
  userFilter: userFilter('(objectClass=*)'),
};

export type ReaderSettings = Omit<
  DirectorySettings,
  'poolSize' | 'attributes' | 'fallbackUrls' | 'startTls'
>;

/** Reads a directory as its service account, over one connection that stays open. */
export interface Reader {
  /** Settings for functions of the connector `ldap` that look up accounts. */
  readonly settings: DirectorySettings;
  /** Sends a request. @throws PollFailure if the directory refuses it or cannot be reached */
  ask<T>(request: (link: Link) => Promise<Reply<T>>): Promise<T>;
  /** Whether the service account can see an entry. @throws PollFailure if the directory cannot be read */
  sees(dn: string): Promise<boolean>;
  close(): void;
}

export function openReader(from: ReaderSettings, tools: PollerTools): Reader {
  const settings: DirectorySettings = {
    ...from,
    ...{ fallbackUrls: [], startTls: false, poolSize: 1, attributes: [] },
  };
  // The positions in a changelog are those of one server, so there is no other one to read.
  const login = serviceLogin(settings, serversOf(settings), {
    ...tools,
    refusedForMs: REFUSED_FOR_MS,
  });
  const links = poolOf(1, login.open);

  const reader: Reader = {
    settings,
    async ask(request) {
      const reply = await links.use(newCall(), request).catch((error) => {
        throw failureIn(error);
      });
      if (reply.ok) return reply.value;
      const { reason, vendorCode } = failureOf(reply);
      throw new PollFailure(reason, vendorCode);
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
