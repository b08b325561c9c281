import { isUtf8 } from 'node:buffer';
import { acceptRequest } from '../../intake/accept';
import { type CaptureResult, countCaptures } from '../../intake/capture-counter';
import { asHash } from '../../intake/captured-hash';
import type { IntakeDependencies } from '../../intake/dependencies';
import { CaptureDeclined } from '../../intake/evaluate-capture';
import { rulesIn } from '../../intake/find-person';
import { IntakeRejected } from '../../intake/rejected';
import { log } from '../../log';
import type { Declined } from '../../model/captures/capture';
import { sourceNamed } from '../../model/configuration/document';
import type { ErrorCode } from '../../model/errors';
import { type CaptureHeader, type SealedCapture, unsealCapture } from '../../sealing/captures';
import { inPlaintext, type Passwords } from '../../sealing/passwords';
import { callerWithKey } from '../../store/api-keys';
import { auditCapture } from '../../store/captures/fingerprints';
import { channels, listen } from '../../store/notifications';
import { keepCapture, requeueLinked } from '../../store/worker/kept-captures';
import type { KeyStore } from '../../store/worker/keys/key-store';
import {
  dequeueSealedCapture,
  postponeCapture,
  type SealedCaptureRow,
} from '../../store/worker/sealed-captures';
import { traced } from '../../telemetry/spans';
import { startLoop } from '../loop';
import { type AskDependencies, NotYet } from './ask-source';
import { capturedAccount, nameInSource } from './captured-account';
import { isConfirmed } from './confirm';

export interface CaptureDependencies extends IntakeDependencies, AskDependencies {
  readonly keys: KeyStore;
}

/** Wait before a capture that could not be ingested is tried again. */
const RETRY_SECONDS = 30;
/** Rejections that concern the state of Lockstep, not the capture: the capture is tried again later. */
const notNow: readonly ErrorCode[] = ['no_epoch', 'policy_file_unreadable', 'captures_stopped'];

/**
 * Starts to ingest the captures that relays have submitted (`store/captures/ingest-batch.ts` stores them). Only the
 * worker can open them. The engine is not needed.
 */
export async function startCaptures(
  deps: CaptureDependencies,
  databaseUrl: string,
): Promise<{ stop(): Promise<void> }> {
  const loop = startLoop({ name: 'captures', everyMs: 5_000, atOnce: 4 }, () =>
    ingestNextCapture(deps, (seconds) => setTimeout(loop.wake, seconds * 1000).unref()),
  );
  const listener = await listen(databaseUrl, [channels.captured], () => loop.wake());
  const kept = startLoop({ name: 'kept captures', everyMs: 5_000 }, async () => {
    if ((await requeueLinked(deps.db)) > 0) loop.wake();
    return false;
  });
  return {
    async stop() {
      await listener.close();
      await Promise.all([loop.stop(), kept.stop()]);
    },
  };
}

/**
 * Ingests the oldest due capture of a relay. One transaction deletes the capture and stores its change, or the reason
 * reason there is none.
 * @param later is called when the capture was postponed, with the wait in seconds
 * @returns whether there may be more
 */
export async function ingestNextCapture(
  deps: CaptureDependencies,
  later: (seconds: number) => void = () => {},
): Promise<boolean> {
  let row: SealedCaptureRow | null = null;
  try {
    const result = await deps.db.transaction().execute(async (trx) => {
      const found = await dequeueSealedCapture(trx);
      if (found === null) return null;
      row = found;
      // Asking the source uses its own connection: what is recorded about the source stays even if this transaction
      // is rolled back.
      return traced('ingest capture', about(found), () =>
        ingestRow({ ...deps, db: trx }, found, {
          accountOf: (reported) => capturedAccount(deps, found.source, reported),
          nameOf: (reported) => nameInSource(deps, found.source, reported),
          confirm: (account, passwords) => isConfirmed(deps, found, account, passwords),
        }),
      );
    });
    if (row === null || result === null) return false;
    // It is counted once the transaction has committed: an earlier attempt may have been rolled back.
    countCaptures((row as SealedCaptureRow).source, 'relay', result);
    return true;
  } catch (error) {
    if (row === null) throw error;
    const { id, source } = row as SealedCaptureRow;
    if (error instanceof NotYet) {
      await postponeCapture(deps.db, id, error.seconds);
      later(error.seconds);
      return true;
    }
    log.error('a capture could not be ingested and will be tried again in 30 seconds', {
      source,
      error,
    });
    await postponeCapture(deps.db, id, RETRY_SECONDS);
    return true;
  }
}

const about = ({ source }: SealedCaptureRow) =>
  ({ kind: 'consumer', attributes: { 'lockstep.source': source } }) as const;

/** Questions that the source of a capture answers. */
interface SourceQuestions {
  accountOf(reported: string): Promise<string>;
  nameOf(reported: string): Promise<string>;
  confirm(account: string, passwords: Passwords): Promise<boolean>;
}

async function ingestRow(
  deps: CaptureDependencies,
  row: SealedCaptureRow,
  { accountOf, nameOf, confirm }: SourceQuestions,
): Promise<CaptureResult> {
  const { relay, source } = row;
  let capture = await open(deps.keys, row);
  if (capture === null) {
    log.error(
      'a capture of a relay cannot be opened and was discarded; change the password again',
      { source, relay },
    );
    await audit(deps, row, null, 'capture_unreadable');
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
    const accepted = await acceptRequest(deps, caller, {
      person: { source, account },
      group: null,
      passwords,
      idempotencyKey: sequence,
      capture: {
        ...{ source, account, capturedAt },
        confirm: () => confirm(account, passwords),
      },
    });
    return accepted.replayed ? 'repeated' : 'accepted';
  } catch (error) {
    const reason = declineReason(error);
    if (reason === null) throw error;
    if (reason === 'unmapped' && (await keep(deps, row, capture, nameOf))) return 'kept';
    await audit(deps, row, capture, reason);
    return reason;
  } finally {
    password.destroy();
    current?.destroy();
  }
}

const NUL = 0;
const isText = (bytes: Buffer): boolean => isUtf8(bytes) && !bytes.includes(NUL);

/** The reason why a capture starts no change; null when the error does not concern the capture. */
function declineReason(error: unknown): Declined | ErrorCode | null {
  if (error instanceof CaptureDeclined) return error.why;
  return error instanceof IntakeRejected && !notNow.includes(error.code) ? error.code : null;
}

/** Keeps a capture of an account that is not linked, if its source is configured so. @returns whether it was kept */
async function keep(
  { db, configuration }: CaptureDependencies,
  row: SealedCaptureRow,
  { account: reported, capturedAt }: CaptureHeader & SealedCapture,
  nameOf: SourceQuestions['nameOf'],
): Promise<boolean> {
  const inForce = (await configuration()).configuration;
  const hours = sourceNamed(inForce, row.source)?.capture?.keepUnlinkedHours ?? 0;
  if (hours === 0) return false;
  const { naming } = rulesIn(inForce, row.source);
  const account = await nameOf(reported);
  return keepCapture(db, { row, account, capturedAt, hours, naming });
}

async function open(
  keys: KeyStore,
  { epochId, jwe, relay, source }: SealedCaptureRow,
): Promise<(CaptureHeader & SealedCapture) | null> {
  const key = await keys.epochKey(epochId);
  if (key === null) return null;
  return unsealCapture(jwe, key, { relay, source }).catch(() => null);
}

async function audit(
  { db, configuration }: CaptureDependencies,
  { source, relay }: SealedCaptureRow,
  capture: (CaptureHeader & SealedCapture) | null,
  reason: Declined | ErrorCode,
): Promise<void> {
  const { naming } = rulesIn((await configuration()).configuration, source);
  const about = { source, account: '', capturedAt: null, ...capture };
  await auditCapture(db, about, reason, relay, naming);
}
