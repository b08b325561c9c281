import { setTimeout as sleep } from 'node:timers/promises';
import type { Secret } from '../../model/passwords/secret';
import { timeLimit } from '../../time-limit';
import type {
  AccountRef,
  Connector,
  ConnectorTools,
  FindAnswer,
  ListAnswer,
  SetPasswordRequest,
  StateAnswer,
  VerifyAnswer,
  VerifyRequest,
  WriteAnswer,
} from '../contract';
import { encode } from '../encodings';
import { asInconclusive, asSourceFailure, asWriteAnswer, type Reasons } from '../sql/failures';
import { connectPostgres, type PgDriver, postgresFailure, tlsOf } from '../sql/postgres';
import { serviceSessions } from '../sql/service';
import type { Sessions, SqlSession } from '../sql/sessions';
import { checkRoles } from './check';
import {
  ANOTHER_ROLE,
  ATTRIBUTES,
  alterRole,
  linkedRole,
  type Role,
  rolesWhere,
  verifierOf,
} from './roles';
import { NoScram, scramLogin, type Wire } from './scram-login';
import type { PostgresRoleSettings } from './settings';

/** Meanings of SQLSTATEs for our statements on roles. */
const ofRoles: Reasons = {
  // undefined_object: dropped or renamed since it was read. Another attempt reads it again.
  '42704': 'account_in_use',
  [ANOTHER_ROLE]: 'account_in_use',
  // invalid_parameter_value: an extension such as passwordcheck.
  '22023': 'policy',
};

/** Meanings of SQLSTATEs for a login that verifies a password. Class 28: pg_hba.conf does not allow this login. */
const ofLogins: Reasons = { '28': 'not_supported' };

/** Another session changed the role at the same moment, which PostgreSQL reports as an internal error. */
const CONCURRENT_UPDATE = 'XX000';
/** Of eight writers at the same moment only one succeeds, so a writer may lose many times in a row. */
const MAX_ATTEMPTS = 80;
const PAUSE_MS = 50;

export function openPostgresRole(
  driver: PgDriver,
  settings: PostgresRoleSettings,
  tools: ConnectorTools,
): Connector {
  const { sessions, withOwnSessions } = serviceSessions(
    settings,
    tools,
    (error) => postgresFailure(error, ofRoles),
    (secret, signal) => connectPostgres(driver, settings, secret, signal),
  );
  const inTime = () => timeLimit(settings.timeoutMs);
  const read = <T>(work: (session: SqlSession) => Promise<T>) => sessions.use(inTime(), work);
  const failed = (error: unknown) => asSourceFailure(postgresFailure(error, ofRoles));
  return {
    async find({ match, limit }): Promise<FindAnswer> {
      const names = Object.keys(match);
      const unknown = names.some((name) => !Object.hasOwn(ATTRIBUTES, name));
      if (unknown) return { result: 'failed', reason: 'not_supported', vendorCode: null };
      const conditions = names.map((name, at) => `${ATTRIBUTES[name]} = $${at + 2}`);
      const find = (session: SqlSession) =>
        rolesWhere(session, settings.roleFilter, conditions, Object.values(match), limit);
      try {
        return { result: 'found', accounts: await read(find) };
      } catch (error) {
        const failure = failed(error);
        // The value is not valid text, so no role has it.
        if (failure.reason === 'no_account') return { result: 'found', accounts: [] };
        return failure;
      }
    },
    async list({ cursor, pageSize }): Promise<ListAnswer> {
      const page = (session: SqlSession) =>
        rolesWhere(session, settings.roleFilter, ['rolname > $2'], [cursor ?? ''], pageSize);
      try {
        const accounts = await read(page);
        const last = accounts.length < pageSize ? undefined : accounts.at(-1);
        return { result: 'page', accounts, cursor: last?.name ?? null };
      } catch (error) {
        return failed(error);
      }
    },
    async state({ account }): Promise<StateAnswer> {
      try {
        const linked = await read((session) => linkedRole(session, account));
        if ('problem' in linked)
          return { result: 'failed', reason: linked.problem, vendorCode: null };
        const { role } = linked;
        const disabled = !role.canLogin || role.expired;
        return {
          result: 'state',
          account: refOf(role),
          disabled,
          locked: false,
          mustChange: false,
          passwordChangedAt: null,
        };
      } catch (error) {
        return failed(error);
      }
    },
    setPassword: (request) => setPassword(settings, sessions, inTime(), request),
    verify: (request) => verify(driver, settings, sessions, inTime(), request),
    check: () => withOwnSessions((fresh) => checkRoles(fresh, settings, inTime())),
    close: async () => sessions.close(),
  };
}

async function setPassword(
  { timeoutMs }: PostgresRoleSettings,
  sessions: Sessions,
  signal: AbortSignal,
  { account, password, form, salt }: SetPasswordRequest,
): Promise<WriteAnswer> {
  const verifier =
    form === 'plaintext' ? await encode('scram-sha-256', password, salt) : password.text();
  for (let attempt = 1; ; attempt++) {
    let sent = false;
    try {
      return await sessions.use(signal, async (session) => {
        const linked = await linkedRole(session, account);
        if ('problem' in linked)
          return { result: 'rejected', reason: linked.problem, vendorCode: null };
        const { role } = linked;
        await alterRole(session, role, verifier, timeoutMs, () => {
          sent = true;
        });
        return { result: 'applied', account: refOf(role) };
      });
    } catch (error) {
      const failure = postgresFailure(error, ofRoles);
      if (failure.vendorCode !== CONCURRENT_UPDATE) return asWriteAnswer(failure, sent);
      if (attempt === MAX_ATTEMPTS)
        return asWriteAnswer({ ...failure, reason: 'account_in_use' }, sent);
      await sleep(PAUSE_MS * Math.random());
    }
  }
}

const refOf = ({ name, nativeId }: Role): AccountRef => ({ name, nativeId });

/** Opens a wire connection. The types of `pg` contain neither this constructor nor the methods of `Wire`. */
function newWire({ Connection }: PgDriver, settings: PostgresRoleSettings): Wire {
  const WireConnection = Connection as unknown as new (config: object) => Wire;
  return new WireConnection({ ssl: tlsOf(settings) });
}

async function verify(
  driver: PgDriver,
  settings: PostgresRoleSettings,
  sessions: Sessions,
  signal: AbortSignal,
  { account, password, form }: VerifyRequest,
): Promise<VerifyAnswer> {
  const { host, port, loginDatabase: database } = settings;
  let role: Role;
  try {
    const linked = await sessions.use(signal, (session) => linkedRole(session, account));
    if ('problem' in linked)
      return { result: 'inconclusive', reason: linked.problem, vendorCode: null };
    role = linked.role;
    const { nativeId } = role;
    if (form !== 'plaintext')
      return await sessions.use(signal, (session) => compareVerifier(session, nativeId, password));
  } catch (error) {
    return asInconclusive(postgresFailure(error, ofRoles));
  }
  try {
    await scramLogin(
      newWire(driver, settings),
      { host, port, database, user: role.name },
      password,
      signal,
    );
    // The server verifies the password before it refuses a role that may not log in.
    return {
      result: 'holds',
      proof: 'login',
      ...(role.canLogin ? {} : { signInPrevented: 'account_disabled' as const }),
    };
  } catch (error) {
    if (error instanceof NoScram)
      return { result: 'inconclusive', reason: 'not_supported', vendorCode: 'no_scram' };
    const failure = postgresFailure(error, ofLogins);
    if (failure.vendorCode !== '28P01') return asInconclusive(failure);
    // After VALID UNTIL the server rejects every password.
    if (role.expired)
      return { result: 'inconclusive', reason: 'account_disabled', vendorCode: '28P01' };
    return { result: 'differs', vendorCode: '28P01' };
  }
}

async function compareVerifier(
  session: SqlSession,
  oid: string,
  verifier: Secret,
): Promise<VerifyAnswer> {
  const stored = await verifierOf(session, oid);
  if (stored === undefined)
    return { result: 'inconclusive', reason: 'not_supported', vendorCode: null };
  return stored === verifier.text()
    ? { result: 'holds', proof: 'hash' }
    : { result: 'differs', vendorCode: null };
}
