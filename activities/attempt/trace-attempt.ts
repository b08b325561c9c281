import type { Connector } from '../../connectors/contract';
import type { AttemptResult } from '../../model/change/outcome';
import type { ClaimedAccount } from '../../store/worker/claims';
import { traced } from '../../telemetry/spans';

/** One attempt at an account as a span: its label, never its name, and what came of it. */
export const tracedAttempt = (
  { source, label, attempts }: ClaimedAccount,
  attempt: () => Promise<AttemptResult>,
): Promise<AttemptResult> =>
  traced('attempt', { attributes: { 'lockstep.source': source } }, async (span) => {
    span.note({ 'lockstep.account': label, 'lockstep.attempt': attempts });
    const result = await attempt();
    const { state, reason, vendorCode, proof } = result;
    span.note({
      'lockstep.state': state,
      'lockstep.proof': proof,
      ...(reason === null ? {} : { 'lockstep.reason': reason }),
      ...(vendorCode === null ? {} : { 'lockstep.vendor_code': vendorCode }),
    });
    if (reason !== null && state !== 'applied') span.fail(reason);
    return result;
  });

/** The connector with each call of an attempt as a span. Neither the request nor the account is in it. */
export function tracedConnector(connector: Connector, kind: string): Connector {
  const call = <Answer extends { readonly result: string }>(
    name: string,
    work: () => Promise<Answer>,
  ): Promise<Answer> =>
    traced(
      `${kind} ${name}`,
      { kind: 'client', attributes: { 'lockstep.source.kind': kind } },
      async (span) => {
        const answer = await work();
        span.note({ 'lockstep.result': answer.result });
        return answer;
      },
    );
  return {
    ...connector,
    find: (request) => call('find', () => connector.find(request)),
    state: (request) => call('state', () => connector.state(request)),
    setPassword: (request) => call('setPassword', () => connector.setPassword(request)),
    verify: (request) => call('verify', () => connector.verify(request)),
  };
}
