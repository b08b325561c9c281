import type { Dependencies } from '../../activities/dependencies';
import { recordSourceAnswer } from '../../activities/shared/record-source-answer';
import type { Connector } from '../../connectors/contract';
import type { IntakeDependencies } from '../../intake/dependencies';
import { isSourceTrouble } from '../../model/change/source-circuit';
import type { SourceConfiguration } from '../../model/configuration/document';
import type { Reason } from '../../model/errors';
import { readSourceStates } from '../../store/sources/state';

export type AskDependencies = Pick<Dependencies, 'db' | 'connector' | 'accountRules' | 'random'> &
  Pick<IntakeDependencies, 'configuration'>;

/**
 * Thrown when a capture cannot be decided yet because its source must be asked first. It may be tried again after
 * `seconds`.
 */
export class NotYet extends Error {
  readonly seconds: number;

  constructor(seconds: number) {
    super('The source of the capture cannot be asked yet');
    this.seconds = seconds;
  }
}

/** Wait before a capture of a source that is down or paused is tried again. */
const TROUBLE_SECONDS = 30;

interface Failure {
  readonly reason: Reason;
  readonly vendorCode: string | null;
}

/**
 * Asks a source about a capture, and updates the state of the source by its answer.
 * @param failureOf returns the failure that an answer reports; null if the answer is not a failure
 * @throws NotYet while the source is down or paused
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
