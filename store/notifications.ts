import pg from 'pg';
import { log } from '../log';
import { isAway } from './database';

/**
 * Channels of PostgreSQL NOTIFY. A notification only wakes its listeners, and may be lost; a listener therefore also
 * checks the tables at intervals.
 */
export const channels = {
  /** A change was accepted. The payload is its id. `worker/changes/dispatcher.ts` listens. */
  accepted: 'lockstep_accepted',
  /** A command was given to a change. The payload is the id of the change. `worker/changes/commands.ts` listens. */
  commanded: 'lockstep_commanded',
  /**
   * The state of a change or of one of its accounts has changed. `store/changes/progress.ts` reads the payload: the id of
   * the change and, when this was reached just now, that the auth account holds the password or that the change ended.
   */
  progress: 'lockstep_progress',
  /** A configuration was applied. The payload is its version. */
  configuration: 'lockstep_configuration',
  /** A job was requested or finished. The payload is its id. `worker/jobs/jobs.ts` and the api listen. */
  job: 'lockstep_job',
  /** An API key was revoked. The payload is its id. The api listens, because streams end with their key. */
  key: 'lockstep_key',
  /**
   * A relay has submitted captures, or captures of a source were started again. The payload is the id of the relay,
   * or the name of the source. `worker/captures/ingest-relayed.ts` listens.
   */
  captured: 'lockstep_captured',
  /** A message for an adapter was stored, or an adapter has initialised. The payload is the source. The api listens. */
  message: 'lockstep_message',
  /** A message to an adapter was settled. The payload is its id. `worker/adapters/mailbox.ts` listens. */
  settled: 'lockstep_settled',
  /** Audit records were chained. The payload is the position of the newest. The api listens. */
  audit: 'lockstep_audit',
} as const;

export type Channel = (typeof channels)[keyof typeof channels];

export interface Listener {
  close(): Promise<void>;
}

const RECONNECT_MS = 500;

/**
 * Listens on a connection of its own, and connects again when that is lost, or when the database is unavailable at first.
 * @param onNotification gets the channel and the payload; the payload is null after each connect, because
 *   notifications may have been lost before it
 * @throws the error of the database when the first connect fails for another reason
 */
export async function listen(
  url: string,
  wanted: readonly Channel[],
  onNotification: (channel: Channel, payload: string | null) => void,
): Promise<Listener> {
  let closed = false;
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;

  const connect = async (): Promise<void> => {
    const fresh = new pg.Client({
      connectionString: url,
      application_name: 'lockstep listener',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    fresh.on('error', () => {});
    fresh.once('end', () => {
      if (!closed && client === fresh) retryLater();
    });
    fresh.on('notification', ({ channel, payload }) =>
      onNotification(channel as Channel, payload ?? ''),
    );
    await fresh.connect();
    for (const channel of wanted) await fresh.query(`listen ${channel}`);
    client = fresh;
    for (const channel of wanted) onNotification(channel, null);
  };
  const retryLater = () => {
    client = null;
    timer = setTimeout(() => {
      connect().catch((error) => {
        log.debug('the database could not be reached to listen for notifications; trying again', {
          error,
        });
        if (!closed) retryLater();
      });
    }, RECONNECT_MS);
  };

  await connect().catch((error) => {
    if (!isAway(error)) throw error;
    retryLater();
  });
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await client?.end();
    },
  };
}
