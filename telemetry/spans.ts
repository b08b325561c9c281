import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, randomBytes } from 'node:crypto';

/**
 * Records what happens to a change as spans of one trace, when a process has called `collectSpans`; otherwise `traced`
 * only calls its work. The ids of the trace and of its first span follow from the id of the change, so api and workers
 * add to the same trace without passing anything on, through the database or through Temporal.
 */

/**
 * The attributes that a span may have. Any other does not compile. None holds a person, the name of an account, text of
 * a vendor or anything secret.
 */
export interface SpanAttributes {
  readonly 'http.request.method'?: string;
  readonly 'http.route'?: string;
  readonly 'http.response.status_code'?: number;
  readonly 'lockstep.source'?: string;
  readonly 'lockstep.source.kind'?: string;
  /** The label of an account in its change, such as `warehouse:2`. */
  readonly 'lockstep.account'?: string;
  readonly 'lockstep.attempt'?: number;
  readonly 'lockstep.state'?: string;
  readonly 'lockstep.reason'?: string;
  readonly 'lockstep.vendor_code'?: string;
  readonly 'lockstep.proof'?: string;
  readonly 'lockstep.result'?: string;
}

export type SpanKind = 'internal' | 'server' | 'client' | 'consumer';

export interface Span {
  readonly changeId: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly name: string;
  readonly kind: SpanKind;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  /** Code of the error with which the work failed; null when it did not. */
  readonly failure: string | null;
}

/** What the work of a span may add to it. */
export interface OpenSpan {
  /** Gives the span another name, when it is known only at its end. */
  rename(name: string): void;
  note(attributes: SpanAttributes): void;
  /** Marks the span as failed. @param code an error code or the name of an error, never its message */
  fail(code: string): void;
}

interface SpanStart {
  readonly kind?: SpanKind;
  readonly attributes?: SpanAttributes;
  /**
   * The change that the work belongs to. Without it, the work belongs to the span around it; the outermost span begins
   * a trace once `beginTrace` is called inside it, and is not recorded otherwise.
   */
  readonly changeId?: string;
}

/** A trace under way in this process. */
interface Trace {
  changeId: string | null;
}

interface Current {
  readonly trace: Trace;
  /** Returns the id of the span, which is known once the trace is. */
  readonly id: () => string;
}

const around = new AsyncLocalStorage<Current>();
let collect: ((span: Span) => void) | null = null;

/** Has every finished span of this process passed to `to`; null ends that. */
export function collectSpans(to: ((span: Span) => void) | null): void {
  collect = to;
}

/** Names the change that the work around this call has just begun. */
export function beginTrace(changeId: string): void {
  const trace = around.getStore()?.trace;
  if (trace !== undefined) trace.changeId ??= changeId;
}

/** Runs `work` as a span. Its error is thrown on. */
export async function traced<Result>(
  name: string,
  start: SpanStart,
  work: (span: OpenSpan) => Promise<Result>,
): Promise<Result> {
  if (collect === null) return work(untraced);
  const { current, open, end } = openSpan(name, start, around.getStore());
  try {
    return await around.run(current, () => work(open));
  } catch (error) {
    open.fail(nameOf(error));
    throw error;
  } finally {
    end();
  }
}

const untraced: OpenSpan = { rename: () => {}, note: () => {}, fail: () => {} };

function openSpan(
  name: string,
  { kind = 'internal', attributes: given = {}, changeId }: SpanStart,
  parent: Current | undefined,
) {
  const startMs = Date.now();
  const began = performance.now();
  const attributes = { ...given };
  let shown = name;
  let failure: string | null = null;
  const own = randomBytes(8).toString('hex');
  const isFirst = parent === undefined && changeId === undefined;
  const trace = parent?.trace ?? { changeId: changeId ?? null };
  const id = () => (isFirst && trace.changeId !== null ? firstSpanOf(trace.changeId) : own);
  const end = () => {
    if (trace.changeId === null) return;
    const parentId = parent?.id() ?? (isFirst ? null : firstSpanOf(trace.changeId));
    collect?.({
      ...{ changeId: trace.changeId, traceId: traceOf(trace.changeId), spanId: id(), parentId },
      ...{
        name: shown,
        kind,
        startMs,
        endMs: startMs + performance.now() - began,
        attributes,
        failure,
      },
    });
  };
  const open: OpenSpan = {
    rename: (better) => {
      shown = better;
    },
    note: (more) => void Object.assign(attributes, more),
    fail: (code) => {
      failure = code;
    },
  };
  return { current: { trace, id }, open, end };
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const traceOf = (changeId: string): string => digest(`trace ${changeId}`).slice(0, 32);
const firstSpanOf = (changeId: string): string => digest(`first span ${changeId}`).slice(0, 16);

/** Names an error without its message, which may quote input. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'error';
  const { code, type } = error as { readonly code?: unknown; readonly type?: unknown };
  const named = code ?? type;
  return typeof named === 'string' ? named : error.name;
}
