import { randomBytes } from 'node:crypto';
import { NativeConnection } from '@temporalio/worker';
import Long from 'long';
import { missingSearchAttributes } from '../../worker/changes/search-attributes';
import { describeWith, server } from '../support/servers';
import { until } from '../support/until';

/** What a worker reports about the namespace of Temporal, for `lockstep doctor`. */
describeWith(['temporal'], 'the search attributes of a Temporal namespace', () => {
  let connection: NativeConnection;
  beforeAll(async () => {
    connection = await NativeConnection.connect({ address: server('temporal').address });
  });
  afterAll(() => connection.close());

  async function newNamespace(): Promise<string> {
    const namespace = `bare-${randomBytes(4).toString('hex')}`;
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: Long.fromNumber(86_400) },
    });
    // The server needs a moment until it knows a new namespace.
    await until(() =>
      connection.operatorService.listSearchAttributes({ namespace }).then(
        () => true,
        () => false,
      ),
    );
    return namespace;
  }
  const missing = (namespace: string) => missingSearchAttributes(connection, namespace);

  test('a namespace with all search attributes of Lockstep lacks none', async () => {
    expect(await missing(server('temporal').namespace ?? '')).toEqual([]);
  });

  test('each search attribute that a namespace lacks, or has with another type, is named with its type', async () => {
    const namespace = await newNamespace();
    expect(await missing(namespace)).toEqual([
      'LockstepState=Keyword',
      'LockstepGroup=KeywordList',
      'LockstepSources=KeywordList',
      'LockstepFailed=Int',
    ]);
    const [KEYWORD, INT] = [2, 3];
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: { LockstepState: KEYWORD, LockstepFailed: INT, LockstepGroup: KEYWORD },
    });
    await until(async () => (await missing(namespace)).length < 3);
    expect(await missing(namespace)).toEqual([
      'LockstepGroup=KeywordList',
      'LockstepSources=KeywordList',
    ]);
  });
});
