import type { Secret } from '../../model/passwords/secret';
import type {
  Connector,
  ConnectorTools,
  PoliciesAnswer,
  ReplicasAnswer,
  SourceFailure,
  StateAnswer,
} from '../contract';
import type { Dialect, ReadState } from './dialect';
import { NoReply, NotSent } from './failures';
import { openLink } from './link';
import { listings } from './listing';
import { findAccounts, locate } from './locate';
import { newCall, poolOf } from './pool';
import { failureOf } from './read-refusals';
import { type ServerOptions, serversOf } from './servers';
import { serviceLogin } from './service-login';
import type { DirectorySettings } from './settings';
import { verifyPassword } from './verify';

/** Creates a connector for a directory over LDAPS. @param dialect what differs between kinds of directories */
export function openDirectory(
  settings: DirectorySettings,
  tools: ConnectorTools,
  dialect: Dialect,
  options?: ServerOptions,
): Connector {
  const { clientKey } = settings;
  const resolveClientKey = clientKey === undefined ? undefined : () => tools.resolve(clientKey);
  const servers = serversOf({ ...settings, resolveClientKey }, options);
  const login = serviceLogin(settings, servers, tools);
  const services = poolOf(settings.poolSize, login.open);
  const verifications = poolOf(settings.poolSize, (call) =>
    servers.open((endpoint) => openLink(endpoint, call.remainingMs())),
  );
  const lists = listings(dialect.accounts, login.open);
  const readState = stateReader(dialect);
  return {
    find: (request) =>
      orFailed(() =>
        services.use(newCall(), (link) => findAccounts(link, request, dialect.accounts)),
      ),
    list: (request) => orFailed(() => lists.page(request)),
    state: ({ account }) =>
      orFailed(() =>
        services.use(newCall(), async (link): Promise<StateAnswer> => {
          const located = await readState(link, account);
          if (!located.ok) return failureOf(located);
          if (!located.value.found)
            return { result: 'failed', reason: located.value.problem, vendorCode: null };
          const { account: now, state } = located.value;
          return { result: 'state', account: now, ...state };
        }),
      ),
    async setPassword(request) {
      // Servers interpret an empty password as "generate one" or "no password".
      if (isEmpty(request.password))
        return { result: 'rejected', reason: 'policy_too_short', vendorCode: null };
      const call = newCall();
      try {
        return await dialect.setPassword((body) => services.use(call, body), request);
      } catch (error) {
        return { result: 'retry', ...failedRequest(error) };
      }
    },
    async verify(request) {
      // A login with an empty password is anonymous and succeeds (RFC 4513 §5.1.2).
      if (isEmpty(request.password)) return { result: 'differs', vendorCode: null };
      try {
        const answer = await verifyPassword(
          { dialect, readState, services, logins: verifications },
          request,
        );
        return answer.result === 'differs' && servers.changedLately()
          ? { result: 'inconclusive', reason: 'unreachable', vendorCode: REPLICATION }
          : answer;
      } catch (error) {
        return { result: 'inconclusive', ...failedRequest(error) };
      }
    },
    act: (request) => orFailed(() => services.use(newCall(), (link) => dialect.act(link, request))),
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
    server: () => (servers.endpoints().length > 1 ? (servers.current()?.url ?? null) : null),
    async close() {
      servers.close();
      services.close();
      verifications.close();
      lists.close();
    },
  };
}

function stateReader(dialect: Dialect): ReadState {
  return async (link, account) => {
    const view = await dialect.view(link);
    const controls = view.controls();
    const reply = await locate(link, account, dialect.accounts, view.attributes, controls);
    if (!reply.ok) return reply;
    if (!reply.value.found) return { ok: true, value: reply.value };
    const state = view.accountStateOf(reply.value.entry, controls);
    return { ok: true, value: { ...reply.value, state } };
  };
}

/** Vendor code of our own: another server answers now, to which a new password may not have been replicated. */
const REPLICATION = 'replication';

const isEmpty = (password: Secret) => password.use((bytes) => bytes.length === 0);

async function orFailed<T>(request: () => Promise<T>): Promise<T | SourceFailure> {
  try {
    return await request();
  } catch (error) {
    return { result: 'failed', ...failedRequest(error) };
  }
}

/** Translates a lost request that changed nothing. A missing reply then means the same as a request that was not sent. */
function failedRequest(error: unknown) {
  if (error instanceof NotSent) return { reason: error.reason, vendorCode: error.vendorCode };
  if (error instanceof NoReply)
    return { reason: 'unreachable', vendorCode: error.vendorCode } as const;
  throw error;
}
