import { isSameHash, type Scheme, withoutPrefix } from '../../model/hashes/encoding';
import type { Naming } from '../../model/people/naming';
import { timeLimit } from '../../time-limit';
import {
  type AccountRef,
  type Connector,
  type FindAnswer,
  HARD_DEADLINE_MS,
  type ListAnswer,
  type SetPasswordRequest,
  type StateAnswer,
  type VerifyAnswer,
  type VerifyRequest,
  type WriteAnswer,
} from '../contract';
import { encode, holds, isTooLong } from '../encodings';
import { readStored } from '../marks';
import { asInconclusive, asSourceFailure, asWriteAnswer } from '../sql/failures';
import type { SqlSession } from '../sql/sessions';
import { checkTable } from './check';
import type { Engine } from './engine';
import { linkedRow } from './linked-row';
import { rowNaming } from './naming';
import { type AccountRow, type Rows, rowsOf } from './rows';
import type { SqlColumnSettings } from './settings';

export function openSqlColumn(engine: Engine, settings: SqlColumnSettings): Connector {
  const naming = rowNaming(settings);
  const rows = rowsOf(engine.dialect, settings, naming);
  const inTime = () => timeLimit(settings.timeoutMs);
  const use = <T>(work: (session: SqlSession) => Promise<T>) => engine.sessions.use(inTime(), work);
  const failed = (error: unknown) => asSourceFailure(engine.failureOf(error));
  return {
    async find({ match, limit }): Promise<FindAnswer> {
      const unknown = Object.keys(match).some((name) => !rows.attributes.includes(name));
      if (unknown) return { result: 'failed', reason: 'not_supported', vendorCode: null };
      try {
        return {
          result: 'found',
          accounts: await use((session) => rows.find(session, match, limit)),
        };
      } catch (error) {
        const failure = failed(error);
        // The column cannot hold the value, so no row has it.
        if (failure.reason === 'no_account') return { result: 'found', accounts: [] };
        return failure;
      }
    },
    async list({ cursor, pageSize }): Promise<ListAnswer> {
      try {
        const accounts = await use((session) => rows.after(session, cursor, pageSize));
        const last = accounts.length < pageSize ? undefined : accounts.at(-1);
        return { result: 'page', accounts, cursor: last?.name ?? null };
      } catch (error) {
        return failed(error);
      }
    },
    async state({ account }): Promise<StateAnswer> {
      try {
        const linked = await use((session) => linkedRow(session, rows, naming, account));
        if (!('row' in linked)) return { result: 'failed', ...linked };
        const { row } = linked;
        return {
          result: 'state',
          account: refOf(row),
          disabled: row.disabled,
          locked: row.hash !== null && isLocked(row.hash),
          mustChange: false,
          passwordChangedAt: row.changedAt,
        };
      } catch (error) {
        return failed(error);
      }
    },
    setPassword: (request) => setPassword(engine, rows, naming, settings, request),
    verify: (request) => verify(engine, rows, naming, inTime(), request),
    check: () =>
      engine.withOwnSessions((sessions) =>
        checkTable({ ...engine, sessions }, rows, settings, inTime()),
      ),
    close: async () => engine.sessions.close(),
  };
}

/** True for an account that no password signs in to, too. */
const isLocked = (stored: string): boolean => readStored(stored).lock !== '';

const refOf = ({ name, nativeId }: AccountRow): AccountRef => ({ name, nativeId });

async function setPassword(
  { dialect, sessions, failureOf }: Engine,
  rows: Rows,
  naming: Naming,
  { scheme, timeoutMs }: SqlColumnSettings,
  request: SetPasswordRequest,
): Promise<WriteAnswer> {
  const { account, password, form } = request;
  if (form === 'plaintext' && isTooLong(scheme, password))
    return { result: 'rejected', reason: 'policy_too_long', vendorCode: null };
  const end = performance.now() + HARD_DEADLINE_MS;
  let sent = false;
  try {
    const hash = await hashFor(scheme, request);
    // The time limit starts here, because a queue for hashing is not a failure of the source.
    const leftMs = Math.max(0, Math.min(timeoutMs, end - performance.now()));
    const signal = timeLimit(leftMs);
    return await sessions.use(signal, async (session) => {
      await session.query(dialect.begin(timeoutMs));
      const linked = await linkedRow(session, rows, naming, account);
      if (!('row' in linked)) {
        await session.query('rollback');
        return { result: 'rejected', ...linked };
      }
      const { lock, hash: before } = readStored(linked.row.hash ?? '');
      if (before === null) {
        await session.query('rollback');
        return { result: 'rejected', reason: 'no_own_password', vendorCode: null };
      }
      sent = true;
      // The mark stays: a write changes the password only, and must not unlock the account.
      const changed = await rows.write(session, linked.row, `${lock}${hash}`);
      await session.query(changed === 1 ? 'commit' : 'rollback');
      if (changed === 1) return { result: 'applied', account: refOf(linked.row) };
      // The row has another key, id or password since it was read.
      if (changed === 0) return { result: 'retry', reason: 'account_in_use', vendorCode: null };
      return { result: 'rejected', reason: 'not_supported', vendorCode: 'several_rows' };
    });
  } catch (error) {
    return asWriteAnswer(failureOf(error), sent);
  }
}

const hashFor = async (scheme: Scheme, { password, form, salt }: SetPasswordRequest) =>
  withoutPrefix(
    scheme,
    form === 'plaintext' ? await encode(scheme, password, salt) : password.text(),
  );

async function verify(
  { sessions, failureOf }: Engine,
  rows: Rows,
  naming: Naming,
  signal: AbortSignal,
  { account, password, form }: VerifyRequest,
): Promise<VerifyAnswer> {
  try {
    const linked = await sessions.use(signal, (session) =>
      linkedRow(session, rows, naming, account),
    );
    if (!('row' in linked)) return { result: 'inconclusive', ...linked };
    const { row } = linked;
    const { lock, hash } = readStored(row.hash ?? '');
    if (row.hash === null || hash === null) return { result: 'differs', vendorCode: null };
    const same = await (form === 'plaintext'
      ? holds(hash, password)
      : isSameHash(hash, password.text()));
    if (same === null)
      return { result: 'inconclusive', reason: 'not_supported', vendorCode: 'unknown_scheme' };
    if (!same) return { result: 'differs', vendorCode: null };
    const locked = lock === '' ? null : 'account_locked';
    const signInPrevented = row.disabled ? 'account_disabled' : locked;
    return { result: 'holds', proof: 'hash', signInPrevented };
  } catch (error) {
    return asInconclusive(failureOf(error));
  }
}
