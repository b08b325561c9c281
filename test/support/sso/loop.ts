import { setTimeout as sleep } from 'node:timers/promises';
import { type AdapterApi, type PlayedAdapter, playAdapter } from '../adapters';
import type { CompanyAccount } from '../company';
import { uniqueName } from '../people';

/** A legacy system with an adapter that pulls. The test plays both: passwords are in memory. It is offline at first. */
export interface LoopSystem {
  readonly adapter: PlayedAdapter;
  addAccount(source: string): CompanyAccount;
  remove(account: CompanyAccount): void;
  /** From now on the adapter receives messages and acknowledges none; false ends that. */
  beSilent(silent: boolean): void;
  /** Takes the adapter offline, or connects it again. */
  connect(online: boolean): Promise<void>;
  /** Number of passwords that were written to an account. */
  writesTo(account: CompanyAccount): number;
  stop(): Promise<void>;
}

export async function startLoop(api: AdapterApi, source: string): Promise<LoopSystem> {
  const adapter = await playAdapter(api, source);
  const passwords = new Map<string, string>();
  const writes: string[] = [];
  let [silent, online, stopped] = [false, false, false];

  async function serve(): Promise<void> {
    const { body } = await adapter.call('receive', { waitSeconds: 1, max: 8 });
    const messages = (body.messages ?? []) as Awaited<ReturnType<PlayedAdapter['receive']>>;
    for (const { trackingId, message } of messages) {
      if (silent || message === undefined) continue;
      const known = passwords.has(message.account);
      if (known) passwords.set(message.account, message.password);
      writes.push(message.account);
      await (known
        ? adapter.complete(trackingId, 'applied')
        : adapter.complete(trackingId, 'rejected', { reason: 'no_account' }));
    }
    // A refused call is answered at once.
    if (messages.length === 0) await sleep(50);
  }
  const served = (async () => {
    // The API may be stopped before the adapter is.
    while (!stopped) await (online ? serve().catch(() => sleep(50)) : sleep(50));
  })();
  return {
    adapter,
    addAccount(of) {
      const name = `USER${uniqueName()}`;
      passwords.set(name, uniqueName());
      return {
        ...{ source: of, name },
        logsIn: async (password) => passwords.get(name) === password,
        changeThere: async (password) => {
          passwords.set(name, password);
        },
      };
    },
    remove: ({ name }) => {
      passwords.delete(name);
    },
    writesTo: ({ name }) => writes.filter((account) => account === name).length,
    beSilent: (now) => {
      silent = now;
    },
    async connect(now) {
      online = now;
      await (now ? adapter.call('initialise') : adapter.call('status', { status: 'offline' }));
    },
    async stop() {
      stopped = true;
      await served;
    },
  };
}
