import { isUtf8 } from 'node:buffer';
import { Counter } from 'prom-client';
import { acceptRequest } from '../../intake/accept';
import { asHash } from '../../intake/captured-hash';
import type { IntakeDependencies } from '../../intake/dependencies';
import { CaptureDeclined } from '../../intake/evaluate-capture';
import { IntakeRejected } from '../../intake/rejected';
import { log } from '../../log';
import type { Declined } from '../../model/captures/capture';
import type { ErrorCode } from '../../model/errors';
import { type CaptureHeader, type SealedCapture, unsealCapture } from '../../sealing/captures';
import { inPlaintext, type Passwords } from '../../sealing/passwords';
import { callerWithKey } from '../../store/api-keys';
import { auditCapture } from '../../store/captures/fingerprints';
import type { Database } from '../../store/database';
import { channels, listen } from '../../store/notifications';
import type { KeyStore } from '../../store/worker/keys/key-store';
import {
  putOff,
  type SealedCaptureRow,
  takeSealedCapture,
} from '../../store/worker/sealed-captures';
import { startLoop } from '../loop';
import { type AskDependencies, NotYet } from './ask-source';
import { capturedAccount } from './captured-account';
import { isConfirmed } from './confirm';

export interface CaptureDependencies extends IntakeDependencies, AskDependencies {
  readonly keys: KeyStore;
}

type Result = 'accepted' | Declined | ErrorCode;

const PUT_OFF_SECONDS = 30;
/** What keeps us from judging now, and is no word about the capture. */
const notNow: readonly ErrorCode[] = ['no_epoch', 'policy_file_unreadable', 'captures_stopped'];

const taken = new Counter({
  name: 'lockstep_relayed_captures_total',
  help: 'Captures that relays brought and this worker took in, by source and what came of them.',
  labelNames: ['source', 'result'],
});

/** Takes in what relays brought: only the worker can open it. The engine is not needed for it. */
export async function startCaptures(
  deps: CaptureDependencies,
  databaseUrl: string,
): Promise<{ stop(): Promise<void> }> {
  const loop = startLoop({ name: 'captures', everyMs: 5_000, atOnce: 4 }, () =>
    ingestNextCapture(deps, (seconds) => setTimeout(loop.wake, seconds * 1000).unref()),
  );
  const listener = await listen(databaseUrl, [channels.captured], () => loop.wake());
  return {
    async stop() {
      await listener.close();
      await loop.stop();
    },
  };
}

/**
 * The oldest of some relay: it is gone, and its change or the reason why there is none is there, in one transaction.
 * @param later one was put off by so many seconds
 * @returns whether there may be more
 */
export async function ingestNextCapture(
  deps: CaptureDependencies,
  later: (seconds: number) => void = () => {},
): Promise<boolean> {
  let row: SealedCaptureRow | null = null;
  try {
    return await deps.db.transaction().execute(async (trx) => {
      const found = await takeSealedCapture(trx);
      if (found === null) return false;
      row = found;
      // What is learned of a source while it is asked stays, whatever becomes of the transaction.
      const result = await ingestRow({ ...deps, db: trx }, found, {
        accountOf: (told) => capturedAccount(deps, found.source, told),
        confirm: (account, passwords) => isConfirmed(deps, found, account, passwords),
      });
      taken.inc({ source: found.source, result });
      return true;
    });
  } catch (error) {
    if (row === null) throw error;
    const { id, source } = row as SealedCaptureRow;
    if (error instanceof NotYet) {
      await putOff(deps.db, id, error.seconds);
      later(error.seconds);
      return true;
    }
    log.error('a capture cannot be judged now and will be tried again', { source, error });
    await putOff(deps.db, id, PUT_OFF_SECONDS);
    return true;
  }
}

interface AskedOfSource {
  accountOf(told: string): Promise<string>;
  confirm(account: string, passwords: Passwords): Promise<boolean>;
}

async function ingestRow(
  deps: CaptureDependencies,
  row: SealedCaptureRow,
  { accountOf, confirm }: AskedOfSource,
): Promise<Result> {
  const { relay, source } = row;
  let capture = await open(deps.keys, row);
  if (capture === null) {
    log.error('what a relay brought cannot be opened', { source, relay });
    await audit(deps.db, row, null, 'capture_unreadable');
    return 'capture_unreadable';
  }
  const { capturedAt, sequence, password, current } = capture;
  try {
    const caller = await callerWithKey(deps.db, row.apiKeyId);
    if (caller === null) throw new IntakeRejected('no_longer_authorized');
    if (!password.use(isText) || current?.use(isText) === false)
      throw new IntakeRejected('unsupported_character');
    const passwords = capture.hashed ? asHash(password, current) : inPlaintext(password, current);
    const account = await accountOf(capture.account);
    capture = { ...capture, account };
    await acceptRequest(deps, caller, {
      person: { source, account },
      group: null,
      passwords,
      idempotencyKey: sequence,
      capture: {
        ...{ source, account, capturedAt },
        confirm: () => confirm(account, passwords),
      },
    });
    return 'accepted';
  } catch (error) {
    const why = whyNot(error);
    if (why === null) throw error;
    await audit(deps.db, row, capture, why);
    return why;
  } finally {
    password.destroy();
    current?.destroy();
  }
}

const NUL = 0;
const isText = (bytes: Buffer): boolean => isUtf8(bytes) && !bytes.includes(NUL);

/** Null for what says nothing about the capture. */
function whyNot(error: unknown): Declined | ErrorCode | null {
  if (error instanceof CaptureDeclined) return error.why;
  return error instanceof IntakeRejected && !notNow.includes(error.code) ? error.code : null;
}

async function open(
  keys: KeyStore,
  { epochId, jwe, relay, source }: SealedCaptureRow,
): Promise<(CaptureHeader & SealedCapture) | null> {
  const key = await keys.epochKey(epochId);
  if (key === null) return null;
  return unsealCapture(jwe, key, { relay, source }).catch(() => null);
}

const audit = (
  db: Database,
  { source, relay }: SealedCaptureRow,
  capture: (CaptureHeader & SealedCapture) | null,
  why: Declined | ErrorCode,
): Promise<void> =>
  auditCapture(db, { source, account: '', capturedAt: null, ...capture }, why, relay);
