import type { Dependencies } from '../../activities/dependencies';
import { recordSourceAnswer } from '../../activities/shared/record-source-answer';
import type { Connector } from '../../connectors/contract';
import type { IntakeDependencies } from '../../intake/dependencies';
import { isSourceTrouble } from '../../model/change/source-circuit';
import type { SourceConfiguration } from '../../model/configuration/document';
import type { Reason } from '../../model/errors';
import { readSourceStates } from '../../store/sources/state';

export type AskDependencies = Pick<Dependencies, 'db' | 'connector' | 'random'> &
  Pick<IntakeDependencies, 'configuration'>;

/** Nothing is wrong with the capture: what its source says of it cannot be known before so many seconds have passed. */
export class NotYet extends Error {
  readonly seconds: number;

  constructor(seconds: number) {
    super('not yet');
    this.seconds = seconds;
  }
}

const TROUBLE_SECONDS = 30;

interface Failure {
  readonly reason: Reason;
  readonly vendorCode: string | null;
}

/**
 * Asks a source about a capture from it, and keeps what is known of the source true.
 * @param failureOf null for an answer that is none
 * @throws NotYet while the source is in trouble
 */
export async function askSource<Answer>(
  deps: AskDependencies,
  source: string,
  configured: SourceConfiguration,
  ask: (connector: Connector) => Promise<Answer>,
  failureOf: (answer: Answer) => Failure | null,
): Promise<Answer> {
  const state = (await readSourceStates(deps.db)).get(source);
  if (state?.state === 'paused') throw new NotYet(TROUBLE_SECONDS);
  const answer = await ask(await deps.connector(source, configured));
  const failure = failureOf(answer);
  const reason = failure !== null && isSourceTrouble(failure.reason) ? failure.reason : null;
  const vendorCode = failure?.vendorCode ?? null;
  const probe = state?.state === 'down' ? state.failures : null;
  await recordSourceAnswer(deps, { source, reason, vendorCode, retryAfterMs: null, probe });
  if (reason !== null) throw new NotYet(TROUBLE_SECONDS);
  return answer;
}
