import { randomUUID } from 'node:crypto';
import { Counter } from 'prom-client';
import { log } from '../log';
import { exportRequest, type Resource } from './otlp';
import { collectSpans, type Span } from './spans';

/** Spans in one request. */
const AT_ONCE = 512;
/** Spans that wait at most; later ones are dropped, so that a collector that is down costs no more memory than this. */
const MOST_WAITING = 4_096;
const EVERY_MS = 2_000;
/** Longest pause after failures. */
const MOST_EVERY_MS = 60_000;
const PATIENCE_MS = 5_000;

const spansTotal = new Counter({
  name: 'lockstep_trace_spans_total',
  help: 'Spans of traces, by result: sent to the collector, or dropped because it was away, slow or refused them.',
  labelNames: ['result'],
});

/**
 * Sends the spans of this process to a collector, in the background. Nothing waits for the collector: a change takes
 * the same course whether it answers, refuses, is slow or is away.
 * @param url the traces endpoint of the collector (OTLP over HTTP, JSON), such as `http://127.0.0.1:4318/v1/traces`;
 *   undefined sends nothing
 * @param service the name of this process, such as `lockstep-api`
 */
export function exportSpans(url: string | undefined, service: string): { stop(): Promise<void> } {
  if (url === undefined) return { stop: async () => {} };
  const resource: Resource = {
    'service.name': service,
    'service.instance.id': randomUUID(),
  };
  const waiting: Span[] = [];
  let sending: Promise<void> = Promise.resolve();
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;

  const sendOnce = async (): Promise<void> => {
    const spans = waiting.slice(0, AT_ONCE);
    if (spans.length === 0) return;
    const answer = await post(url, JSON.stringify(exportRequest(resource, spans)));
    if (answer === 'later') {
      if (failures === 0)
        log.warn('the collector of traces cannot be reached; spans wait for it, up to a limit', {
          address: new URL(url).host,
        });
      failures += 1;
      return;
    }
    failures = 0;
    waiting.splice(0, spans.length);
    spansTotal.inc({ result: answer }, spans.length);
    if (answer === 'dropped')
      log.warn('the collector of traces has refused spans; they are dropped', {
        address: new URL(url).host,
        count: spans.length,
      });
  };
  const schedule = (): void => {
    const pauseMs = Math.min(EVERY_MS * 2 ** failures, MOST_EVERY_MS);
    timer = setTimeout(() => {
      sending = sendOnce().finally(schedule);
    }, pauseMs).unref();
  };
  schedule();
  collectSpans((span) => {
    if (waiting.length < MOST_WAITING) waiting.push(span);
    else spansTotal.inc({ result: 'dropped' });
  });
  return {
    async stop() {
      collectSpans(null);
      await sending;
      clearTimeout(timer);
      await sendOnce();
    },
  };
}

/** Answers of a collector that ask for the same request again (OTLP specification, "Retryable Response Codes"). */
const RETRYABLE = [429, 502, 503, 504];

/** @returns `later` when the same spans are to be sent again */
async function post(url: string, body: string): Promise<'sent' | 'dropped' | 'later'> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      redirect: 'error',
      signal: stop.signal,
    });
    // What the collector writes is not read: it may never end, and partial success asks for nothing.
    await response.body?.cancel();
    if (response.ok) return 'sent';
    return RETRYABLE.includes(response.status) ? 'later' : 'dropped';
  } catch {
    return 'later';
  } finally {
    clearTimeout(timer);
  }
}
