import { HashingFailed } from '../../connectors/hashing';
import { unconnectedFindings } from '../../connectors/sql/checks';
import { asInconclusive, asWriteAnswer } from '../../connectors/sql/failures';
import { mysqlFailure } from '../../connectors/sql/mysql';
import { postgresFailure } from '../../connectors/sql/postgres';

test.each([
  ['postgres', (error: unknown) => postgresFailure(error, {})],
  ['mysql', mysqlFailure],
])(
  'a password that Lockstep fails to hash is no failure of the %s server, and leaves no doubt',
  (_engine, failureOf) => {
    const failure = failureOf(new HashingFailed());
    const reason = 'lockstep_failed';
    expect(asWriteAnswer(failure, false)).toMatchObject({ result: 'retry', reason });
    expect(asInconclusive(failure)).toMatchObject({ result: 'inconclusive', reason });
    const findings = unconnectedFindings(failure);
    expect(findings.filter(({ verdict }) => verdict === 'wrong')).toMatchObject([
      { check: 'lockstep', says: expect.stringMatching(/^Lockstep itself failed/) },
    ]);
  },
);
