import { asSourceFailure, type SqlFailure } from '../../../connectors/sql/failures';
import type { SqlSession } from '../../../connectors/sql/sessions';
import { log } from '../../../log';
import { Secret } from '../../../model/passwords/secret';
import { zeroableBytes } from '../../../model/passwords/zeroable';
import { timeLimit } from '../../../time-limit';
import type { HandedOver } from '../../hand-over/protocol';
import { type Page, type Poller, type PollerKind, PollFailure } from '../poller';
import { type Engine, openEngine } from './engine';
import { type OutboxRow, PAGE_ROWS, rowsOf } from './rows';
import { type OutboxSettings, outboxSettings } from './settings';

/**
 * Polls an outbox: a table next to that of an application, into which a trigger writes each new value of a password column in
 * the transaction that changed it. The outbox is its own checkpoint: rows that were read have a time in `taken_at`.
 */
export const outbox: PollerKind<OutboxSettings> = {
  kind: 'outbox',
  settings: outboxSettings,
  open: async (settings, tools) => openOutbox(await openEngine(settings, tools), settings),
};

function openOutbox(engine: Engine, settings: OutboxSettings): Poller {
  const { sessions, failureOf } = engine;
  const rows = rowsOf(engine, settings);
  const use = async <T>(work: (session: SqlSession) => Promise<T>): Promise<T> => {
    try {
      return await sessions.use(timeLimit(settings.timeoutMs), work);
    } catch (error) {
      throw error instanceof PollFailure ? error : asPollFailure(failureOf(error));
    }
  };
  return {
    async read() {
      const found = await use((session) => rows.untaken(session));
      return pageOf(found, settings.holds === 'hash');
    },
    acknowledge: ({ end }) =>
      use(async (session) => {
        // Marks exactly these ids, not all up to the highest: a transaction with a lower id may commit later.
        if (end !== '') await rows.markTaken(session, end.split(BETWEEN));
        await rows.dropOld(session);
      }),
    moveTo: (startpoint) => use((session) => rows.moveTo(session, startpoint)),
    close: async () => sessions.close(),
  };
}

function asPollFailure(failure: SqlFailure): PollFailure {
  const { reason, vendorCode } = asSourceFailure(failure);
  return new PollFailure(reason === 'no_account' ? 'not_supported' : reason, vendorCode);
}

/** Separates ids in the end of a page. */
const BETWEEN = ',';

/**
 * Ids are in the order of the changes of each account: the transaction that draws an id holds the lock of the account's row
 * until it ends.
 */
function pageOf(found: readonly OutboxRow[], hashed: boolean): Page {
  const captures = found.flatMap(({ id, account, value, changedAtUs }): HandedOver[] => {
    if (account === null || value === null) return [];
    const at = new Date(Math.floor(Number(changedAtUs) / 1000));
    const password = secretOf(value);
    const sequence = `${id}-${changedAtUs}`;
    return [{ account, password, hashed, current: null, capturedAt: at, sequence }];
  });
  const count = found.length - captures.length;
  if (count > 0)
    log.error('the relay skipped rows of the outbox: their account or value is too long', {
      count,
    });
  const end = found.map(({ id }) => id).join(BETWEEN);
  return { captures, end, more: found.length === PAGE_ROWS, missed: false };
}

function secretOf(value: string): Secret {
  const bytes = zeroableBytes(Buffer.byteLength(value));
  bytes.write(value);
  return Secret.of(bytes);
}
