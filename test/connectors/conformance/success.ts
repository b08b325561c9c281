import type { Connector } from '../../../connectors/contract';
import { connectorKinds } from '../../../connectors/registry';
import { everyNth } from '../../support/long';
import type { Answer } from '../../support/vendors/vendor';
import { type Bench, freshPassword, verify, write } from './bench';

const HTML = { 'content-type': 'text/html; charset=utf-8' };
const SIGN_IN_PAGE = '<!doctype html><title>Sign in</title><form method="post"></form>';

/** Changes the usual answer to a request that was carried out. Null leaves it unchanged. */
type Spoil = (usual: Answer) => Answer | 'half' | null;

/** Answers that look like a success and are not the documented one. */
const wrongAnswers: Readonly<Record<string, Spoil>> = {
  '200 with a sign-in page': () => ({ status: 200, headers: HTML, text: SIGN_IN_PAGE }),
  '200 with an empty body': () => ({ status: 200 }),
  '200 with the JSON null': () => ({ status: 200, json: null }),
  '200 with a JSON array': () => ({ status: 200, json: [[]] }),
  '200 with an error document': ({ json }) => ({
    status: 200,
    json: { ...(json as object), error: { code: 'Failed', message: 'No.' } },
  }),
  '200 with JSON that is cut off': ({ json = {} }) => ({
    status: 200,
    text: JSON.stringify(json).slice(0, -1),
  }),
  '200 with a body whose end is lost': () => 'half',
  '200 with another media type': ({ json, headers }) => ({
    status: 200,
    headers: { ...headers, ...HTML },
    json,
  }),
  '201': (usual) => ({ ...usual, status: 201 }),
  '202': (usual) => ({ ...usual, status: 202 }),
  '203': (usual) => ({ ...usual, status: 203 }),
  '206': (usual) => ({ ...usual, status: 206 }),
};

const PAGE = '<!doctype html><title>Not here</title><p>The requested URL was not found.</p>';

/** Refusals by a proxy in front of the source, which never saw the account. */
const foreignAnswers: Readonly<Record<string, (status: number) => Answer>> = {
  'the page of a proxy': (status) => ({ status, headers: HTML, text: PAGE }),
  'the JSON of a gateway': (status) => ({ status, json: { message: 'Not Found', status } }),
};

/** `npm test` tries 404, 401 and 403, which a source answers for reasons of its own. */
const FOREIGN_STATUSES = everyNth(4, [404, 400, 410, 409, 401, 422, 423, 500, 403, 503]);

/** Reasons that only the source itself can know. */
const OF_THE_SOURCE = ['no_account', 'no_rights', 'service_credential_refused', 'account_locked'];

/** Upper limit for the number of requests of one call. */
const MOST_REQUESTS = 12;

interface Answered {
  readonly result: string;
  readonly reason?: string;
}

const expectNotOfTheSource = ({ reason = '' }: Answered) =>
  expect(OF_THE_SOURCE).not.toContain(reason);

/** A 200 is not yet a success: a proxy or a sign-in page answers it too. */
export function successPromises({ subject, promise, direct }: Bench): void {
  const { http } = subject;
  if (http === undefined) return;
  const verifiable = () =>
    connectorKinds.get(subject.kind)?.traitsOf(subject.settings(subject.server)).proof !== 'none';
  afterEach(() => http.answering(null));

  for (const [what, spoil] of Object.entries(wrongAnswers)) {
    promise(`a write that is answered ${what} is in doubt, not applied`, async () => {
      expect(await writesWith(spoil)).toContain('ambiguous');
    });
    promise(`a read that is answered ${what} fails, and check does not pass`, async () => {
      await readsWith(spoil);
    });
  }

  for (const [what, answerOf] of Object.entries(foreignAnswers))
    promise(
      `${what} refuses neither the account nor the service account, whatever its status`,
      async () => {
        for (const status of FOREIGN_STATUSES) {
          // Only for such a look-up a refusal shows that the source does not offer it, and the call goes on.
          const isAllowed = () => status < 500 && status !== 401 && http.isOptional?.() === true;
          const spoil: Spoil = () => (isAllowed() ? null : answerOf(status));
          for (const answer of await answersTo(spoil)) expectNotOfTheSource(answer);
          for (const answer of await readsWith(spoil)) expectNotOfTheSource(answer);
        }
      },
    );

  if (!http.emptyIsSuccess)
    promise('a write that is answered 204 without the documented body is in doubt', async () => {
      expect(await writesWith(() => ({ status: 204 }))).toContain('ambiguous');
    });

  const { ofAnother } = http;
  if (ofAnother !== undefined)
    promise('an answer about another user is neither a success nor a refusal', async () => {
      const spoil: Spoil = (usual) => {
        const json = ofAnother((usual.json ?? {}) as Readonly<Record<string, unknown>>);
        return json && { ...usual, json };
      };
      expect((await writesWith(spoil)).length).toBeGreaterThan(0);
      await readsWith(spoil);
    });

  /** Returns the results of `answersTo`. */
  const writesWith = async (spoil: Spoil): Promise<string[]> =>
    (await answersTo(spoil)).map(({ result }) => result);

  /** Writes once for each request that a write takes, and spoils the answer to that request. */
  async function answersTo(spoil: Spoil): Promise<Answered[]> {
    const answers: Answered[] = [];
    await spoiled(spoil, async (connector) => {
      const [account, password] = [await subject.account(), freshPassword()];
      const answer = await write(connector, account, password);
      return async () => {
        answers.push(answer);
        expect(['retry', 'ambiguous']).toContain(answer.result);
        if (answer.result === 'retry')
          expect(await subject.logsIn(account, account.password)).toBe(true);
      };
    });
    return answers;
  }

  /** Reads in every way, with one spoiled answer each. @returns the answers of the reads */
  async function readsWith(spoil: Spoil): Promise<Answered[]> {
    const read: Answered[] = [];
    const account = await subject.account();
    const calls: ((connector: Connector) => Promise<Answered>)[] = [
      (connector) => connector.find({ match: { [subject.findBy]: account.key }, limit: 2 }),
      (connector) => connector.list({ cursor: null, pageSize: 10 }),
      (connector) => connector.state({ account: account.ref }),
      ...(verifiable()
        ? [(connector: Connector) => verify(connector, account, account.password)]
        : []),
    ];
    for (const call of calls)
      await spoiled(spoil, async (connector) => {
        const answer = await call(connector);
        return async () => {
          read.push(answer);
          expect(['failed', 'inconclusive']).toContain(answer.result);
        };
      });
    await spoiled(spoil, async (connector) => {
      const findings = await connector.check();
      return async () => expect(findings.some(({ verdict }) => verdict !== 'ok')).toBe(true);
    });
    return read;
  }

  /** Repeats a call on new connectors, and spoils the answer to its first request, then to its second one, and so on. */
  async function spoiled(
    spoil: Spoil,
    call: (connector: Connector) => Promise<() => Promise<void>>,
  ): Promise<void> {
    for (let nth = 1; nth <= MOST_REQUESTS; nth++) {
      let [requests, isSpoiled] = [0, false];
      const connector = await direct();
      http?.answering(async (answer) => {
        const isNth = ++requests === nth;
        const usual = await answer();
        const changed = isNth ? spoil(usual) : null;
        isSpoiled ||= changed !== null;
        return changed ?? usual;
      });
      const expectFailure = await call(connector);
      http?.answering(null);
      if (requests < nth) return;
      if (isSpoiled) await expectFailure();
    }
    throw new Error('A call takes more requests than expected');
  }
}
