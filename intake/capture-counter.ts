import type { Declined } from '../model/captures/capture';
import { type Configuration, sourceNamed } from '../model/configuration/document';
import type { ErrorCode } from '../model/errors';
import { counterBySource, UNKNOWN_SOURCE } from '../telemetry/counter-by-source';

/**
 * What became of one capture: it started a change (`accepted`), a request was repeated, it waits until its
 * account is linked (`kept`), or the reason why it started none.
 */
export type CaptureResult =
  | 'accepted'
  | 'repeated'
  | 'kept'
  | 'not_attested'
  | Declined
  | ErrorCode;

/** The way by which a capture arrived: a request to the api, a push over SCIM, a relay, or an adapter. */
export type CaptureVia = 'api' | 'scim' | 'relay' | 'adapter';

const capturesTotal = counterBySource({
  name: 'lockstep_captures_total',
  help: 'Captures by source, by the way they arrived (api, scim, relay, adapter) and by result: accepted, repeated, kept until the account is linked, or the reason why a capture started no change.',
  labelNames: ['source', 'via', 'result'],
});

/** Counts captures of which it is certain what became of them. */
export const countCaptures = (
  source: string,
  via: CaptureVia,
  result: CaptureResult,
  count = 1,
): void => {
  if (count > 0) capturesTotal.inc({ source, via, result }, count);
};

/** The source as a label. A caller may send any text as a source, and each label value takes memory. */
export const sourceLabel = (configuration: Configuration, source: string): string =>
  sourceNamed(configuration, source) === undefined ? UNKNOWN_SOURCE : source;
