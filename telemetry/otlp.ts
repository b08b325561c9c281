import type { Span, SpanKind } from './spans';

/** Spans in the JSON form of OTLP (opentelemetry-proto, trace/v1/trace.proto, and the OTLP specification, "JSON"). */

/** Numbers of `Span.SpanKind`. */
const kinds: Readonly<Record<SpanKind, number>> = {
  internal: 1,
  server: 2,
  client: 3,
  consumer: 5,
};

/** Number of `Status.StatusCode`: STATUS_CODE_ERROR. */
const ERROR = 2;

/** The process that recorded the spans. */
export interface Resource {
  readonly 'service.name': string;
  readonly 'service.instance.id': string;
}

/** The body of a request to `/v1/traces`. */
export const exportRequest = (resource: Resource, spans: readonly Span[]) => ({
  resourceSpans: [
    {
      resource: { attributes: attributesOf(resource) },
      scopeSpans: [{ scope: { name: 'lockstep' }, spans: spans.map(spanOf) }],
    },
  ],
});

const spanOf = ({ changeId, ...span }: Span) => ({
  traceId: span.traceId,
  spanId: span.spanId,
  ...(span.parentId === null ? {} : { parentSpanId: span.parentId }),
  name: span.name,
  kind: kinds[span.kind],
  startTimeUnixNano: nanoseconds(span.startMs),
  endTimeUnixNano: nanoseconds(span.endMs),
  attributes: attributesOf({ 'lockstep.change': changeId, ...span.attributes }),
  status: span.failure === null ? {} : { code: ERROR, message: span.failure },
});

const attributesOf = (attributes: object) =>
  Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ({
      key,
      value:
        typeof value === 'number' ? { intValue: String(value) } : { stringValue: String(value) },
    }));

/** JSON carries 64-bit numbers as text. */
const nanoseconds = (ms: number): string => String(BigInt(Math.round(ms * 1000)) * 1000n);
