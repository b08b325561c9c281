import type { Secret } from '../../model/passwords/secret';
import type {
  Connector,
  ConnectorTools,
  PoliciesAnswer,
  ReplicasAnswer,
  SourceFailure,
  StateAnswer,
} from '../contract';
import { failureOf, findAccounts, locate } from './accounts';
import type { Dialect, See } from './dialect';
import { NoReply, NotSent, openLink, type Reply } from './link';
import { listings } from './listing';
import { newCall, poolOf } from './pool';
import { prove } from './proof';
import { serviceLogin } from './service-login';
import type { DirectorySettings } from './settings';

/** A connector for a directory that is spoken to over LDAPS. */
export function openDirectory(
  settings: DirectorySettings,
  tools: ConnectorTools,
  dialect: Dialect,
): Connector {
  const login = serviceLogin(settings, tools);
  const services = poolOf(settings.poolSize, login.open);
  const proofs = poolOf(settings.poolSize, (call) => openLink(settings, call.remainingMs()));
  const lists = listings(settings, dialect.ids, login.open);
  const see = seeing(settings, dialect);
  return {
    find: (request) =>
      orFailed(() =>
        services.use(newCall(), (link) => findAccounts(link, request, dialect.ids, settings)),
      ),
    list: (request) => orFailed(() => lists.page(request)),
    state: ({ account }) =>
      orFailed(() =>
        services.use(newCall(), async (link): Promise<StateAnswer> => {
          const seen = await see(link, account);
          if (!seen.ok) return failureOf(seen);
          if (seen.value === null)
            return { result: 'failed', reason: 'no_account', vendorCode: null };
          return { result: 'state', ...seen.value.standing };
        }),
      ),
    async setPassword(request) {
      // Servers take an empty password for "make one up" or "no password".
      if (isEmpty(request.password))
        return { result: 'rejected', reason: 'policy_too_short', vendorCode: null };
      const call = newCall();
      try {
        return await dialect.setPassword((body) => services.use(call, body), request);
      } catch (error) {
        return { result: 'retry', ...unsent(error) };
      }
    },
    async verify(request) {
      // An empty password would be a login as nobody, which succeeds (RFC 4513 §5.1.2).
      if (isEmpty(request.password)) return { result: 'differs', vendorCode: null };
      try {
        return await prove({ dialect, see, services, proofs }, request);
      } catch (error) {
        return { result: 'inconclusive', ...unsent(error) };
      }
    },
    check: () => login.check(dialect.check),
    policies: () =>
      orFailed(() =>
        services.use(newCall(), async (link): Promise<PoliciesAnswer> => {
          const read = await dialect.policies(link);
          return read.ok ? { result: 'policies', policies: read.value } : failureOf(read);
        }),
      ),
    replicas: () =>
      orFailed(() =>
        services.use(newCall(), async (link): Promise<ReplicasAnswer> => {
          const read = await dialect.replicas(link);
          return read.ok ? { result: 'replicas', replicas: read.value } : failureOf(read);
        }),
      ),
    async close() {
      services.close();
      proofs.close();
      lists.close();
    },
  };
}

function seeing(settings: DirectorySettings, dialect: Dialect): See {
  return async (link, account) => {
    const view = await dialect.view(link);
    const controls = view.controls();
    const reply = await locate(link, account, dialect.ids, settings, view.attributes, controls);
    if (!reply.ok || reply.value === null) return reply as Reply<null>;
    const standing = view.accountStateOf(reply.value.entry, controls);
    return { ok: true, value: { ...reply.value, standing } };
  };
}

const isEmpty = (password: Secret) => password.use((bytes) => bytes.length === 0);

async function orFailed<T>(request: () => Promise<T>): Promise<T | SourceFailure> {
  try {
    return await request();
  } catch (error) {
    return { result: 'failed', ...unsent(error) };
  }
}

/** For a request that changes nothing, no reply is as good as not sent. */
function unsent(error: unknown) {
  if (error instanceof NotSent) return { reason: error.reason, vendorCode: error.vendorCode };
  if (error instanceof NoReply) return { reason: 'unreachable', vendorCode: null } as const;
  throw error;
}
