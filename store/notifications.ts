import pg from 'pg';
import { log } from '../log';

/** NOTIFY wakes; it carries no state. Whoever listens also looks by itself now and then. */
export const channels = {
  /** A change was accepted, or a command given: payload is the change id. */
  accepted: 'lockstep_accepted',
  /** Something about a change is new: payload is the change id. */
  progress: 'lockstep_progress',
  configuration: 'lockstep_configuration',
  job: 'lockstep_job',
  /** A relay brought something: payload is its id. */
  captured: 'lockstep_captured',
} as const;

export type Channel = (typeof channels)[keyof typeof channels];

export interface Listener {
  close(): Promise<void>;
}

const RECONNECT_MS = 500;

/**
 * Listens on its own connection, and connects again when it is lost.
 * @param onNotification gets the payload; null after a reconnect, when something may have been missed
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
        log.debug('cannot listen to the database', { error });
        if (!closed) retryLater();
      });
    }, RECONNECT_MS);
  };

  await connect();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await client?.end();
    },
  };
}
