import { performance } from 'node:perf_hooks';
import type { PullSettings } from '../../model/adapters/settings';
import type { CodeOf } from '../../model/errors';
import type {
  Connector,
  ConnectorTools,
  Finding,
  SetPasswordRequest,
  SourceFailure,
  WriteAnswer,
} from '../contract';
import type { Mailbox, MessageStatus } from '../mailbox';
import { withoutPassword } from '../without-password';

/** The message is looked at again at least this often, because the adapter may have got another key. */
const LOOK_MS = 1_000;

export function openPull(settings: PullSettings, { mailbox }: ConnectorTools): Connector {
  return {
    find: async () => notSupported,
    list: async () => notSupported,
    state: async () => notSupported,
    verify: async () => ({ ...unsupported, result: 'inconclusive' }),
    setPassword: async (request) =>
      mailbox === undefined ? rejected('not_supported') : write(mailbox, settings, request),
    check: async () => (mailbox === undefined ? [] : findingAbout(await mailbox.adapter())),
    close: async () => {},
  };
}

const unsupported = { reason: 'not_supported', vendorCode: null } as const;
const notSupported: SourceFailure = { result: 'failed', ...unsupported };

type Rejected = Extract<WriteAnswer, { readonly result: 'rejected' }>;

const rejected = (
  reason: CodeOf<'rejected'>,
  doubt: NonNullable<Rejected['doubt']> = 'none',
  vendorCode: string | null = null,
): Rejected => ({ result: 'rejected', reason, vendorCode, doubt });

async function write(
  mailbox: Mailbox,
  settings: PullSettings,
  { account, password, oldPassword, of }: SetPasswordRequest,
): Promise<WriteAnswer> {
  if (of === undefined) return rejected('not_supported');
  const message = {
    ...{ of, account: account.name, password, oldPassword: oldPassword ?? null },
    mostDeliveries: settings.retryCount + 1,
    leaseSeconds: settings.retryDelaySeconds,
    maxAgeSeconds: settings.maxAgeSeconds ?? null,
  };
  const deadline = performance.now() + mailbox.acknowledgedWithinMs;
  for (;;) {
    const status = await mailbox.put(message);
    if (!('id' in status))
      return withoutPassword(withoutPassword(answerOf(status, settings), oldPassword), password);
    const leftMs = deadline - performance.now();
    if (leftMs > 0) await mailbox.waitForResult(status.id, Math.min(leftMs, LOOK_MS));
    // A message that waits in the queue is withdrawn, so that the answer is certain.
    else if (status.status === 'queued' && (await mailbox.withdraw(status.id)))
      return status.behind
        ? { result: 'retry', reason: 'account_in_use', vendorCode: null }
        : { result: 'retry', reason: 'adapter_not_receiving', vendorCode: null };
    else return { result: 'ambiguous', reason: 'awaiting_acknowledgement', vendorCode: null };
  }
}

function answerOf(
  status: Exclude<MessageStatus, { readonly id: string }>,
  { storeWhenOffline }: PullSettings,
): WriteAnswer {
  switch (status.status) {
    case 'replaced':
      return { result: 'retry', reason: 'account_in_use', vendorCode: null };
    case 'offline':
      return storeWhenOffline
        ? { result: 'retry', reason: 'adapter_unreachable', vendorCode: null }
        : rejected('adapter_offline');
    case 'settled':
      return settledAnswer(status);
  }
}

function settledAnswer({
  result,
  reason,
  vendorCode,
  retryAfterMs,
}: Extract<MessageStatus, { readonly status: 'settled' }>): WriteAnswer {
  switch (result) {
    case 'applied':
    case 'already_current':
      return { result };
    case 'rejected':
      return rejected((reason ?? 'policy') as CodeOf<'rejected'>, 'none', vendorCode);
    case 'retry':
      return {
        result,
        reason: (reason ?? 'busy') as CodeOf<'offline' | 'unknown'>,
        vendorCode,
        ...(retryAfterMs !== null && { retryAfterMs }),
      };
    case 'not_acknowledged':
      return rejected('not_acknowledged', 'stays');
    case 'too_old':
      return rejected('too_old');
  }
}

function findingAbout(adapter: Awaited<ReturnType<Mailbox['adapter']>>): Finding[] {
  if (adapter === null)
    return [
      {
        check: 'adapter',
        verdict: 'wrong',
        says: 'No adapter has connected to this source yet. Start the adapter; docs/adapters.md shows how.',
      },
    ];
  return [
    adapter.online
      ? { check: 'adapter', verdict: 'ok', says: 'The adapter is online.' }
      : {
          check: 'adapter',
          verdict: 'wrong',
          says: 'The adapter is offline. Start it, and look at its log.',
        },
    adapter.ownKey
      ? {
          check: 'adapter-key',
          verdict: 'ok',
          says: 'Passwords are sealed to the key of the adapter.',
        }
      : {
          check: 'adapter-key',
          verdict: 'warning',
          says: 'The adapter has registered no key, so the API process opens each password that it delivers. Send publicKey with initialise.',
        },
  ];
}
