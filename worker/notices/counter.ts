import { Counter } from 'prom-client';
import type { Sent } from '../../model/notices/retry';

const noticesTotal = new Counter({
  name: 'lockstep_notices_total',
  help: 'Attempts to send notices, by channel and by result: delivered, retry (it is repeated), failed, or gone (the receiver no longer exists).',
  labelNames: ['channel', 'result'],
});

export const countAttempt = (channel: string, result: Sent['result']): void =>
  noticesTotal.inc({ channel, result });
