import { type CodeOf, errors } from '../../model/errors';
import type { Secret } from '../../model/passwords/secret';
import { hasValues, isSameName, linkedAccount, type Naming } from '../../model/people/naming';
import type {
  AccountRef,
  Connector,
  Finding,
  SourceFailure,
  StateAnswer,
  WriteAnswer,
} from '../contract';
import { withoutPassword } from '../without-password';
import { type Answers, type CheckAnswer, type Operation, readAnswer } from './answers';
import { type Fields, requestOf } from './requests';

/**
 * Sends one request to the program and returns its reply. It does not throw. It may read `request` until it resolves, and
 * does not zero it.
 */
export type Call = (request: Buffer) => Promise<Reply>;

/** The JSON that the program returned, or why it returned none. */
export type Reply = { readonly answer: unknown } | Lost;

/** The program gave no valid answer. */
export interface Lost {
  readonly reason: CodeOf<'offline' | 'unknown'>;
  readonly vendorCode: string | null;
  readonly retryAfterMs?: number;
  /** Whether the program may have received the request and acted on it. */
  readonly sent: boolean;
}

/** What the program supports, by its settings. */
export interface Served {
  /** Whether it can verify a password. If false, `verify` is never requested. */
  readonly verifies: boolean;
  readonly operations: readonly Operation[];
}

/** What differs between the kinds `command` and `webhook`. */
export interface WireConnector {
  readonly call: Call;
  readonly served: Served;
  readonly naming: Naming;
  /** Returns findings that need no call of the program. */
  readonly examine: () => Promise<readonly Finding[]>;
  /** Findings to report if the program answered. */
  readonly answered: readonly Finding[];
  /** Returns the finding to report if the program gave no valid answer. */
  readonly lost: (lost: Lost) => Finding;
  readonly close: () => Promise<void>;
}

/** Creates a connector for a program that implements the contract itself, in JSON. */
export function openWire(wire: WireConnector): Connector {
  const { call, served, examine, close } = wire;
  const ask = <O extends Operation>(operation: O, fields: Fields, password?: Secret) =>
    exchange(call, operation, fields, password);
  const read = async <O extends 'find' | 'list' | 'state' | 'policies'>(
    operation: O,
    fields: Fields,
  ): Promise<Answers[O] | SourceFailure> => {
    if (!served.operations.includes(operation)) return notSupported;
    const answer = await ask(operation, fields);
    return isLost(answer) ? asFailed(answer) : answer;
  };
  return {
    async find({ match, limit }) {
      const answer = await read('find', { match, limit });
      if (answer.result === 'failed') return answer;
      // Checked here too: a program that matches loosely must not link an account to the wrong person.
      const exact = answer.accounts.filter(({ attributes }) =>
        hasValues(wire.naming, match, (name) => attributes[name] ?? []),
      );
      return { result: 'found', accounts: exact.slice(0, limit) };
    },
    async list({ cursor, pageSize }) {
      const answer = await read('list', { cursor, pageSize });
      // A page whose cursor leads to the same page would never end.
      const endless =
        answer.result === 'page' && answer.cursor !== null && answer.cursor === cursor;
      return endless ? asFailed(noAnswer('same_cursor')) : answer;
    },
    async state({ account: { name, nativeId } }): Promise<StateAnswer> {
      const link = { name, nativeId };
      const answer = await read('state', { account: link });
      return answer.result === 'failed' || isMeant(wire, link, answer.account)
        ? answer
        : { result: 'failed', ...anotherAccount };
    },
    async setPassword({ account, password, oldPassword }): Promise<WriteAnswer> {
      const link = { name: account.name, nativeId: account.nativeId };
      const fields: Fields = { account: link, ...(oldPassword && { oldPassword }) };
      const answer = await ask('setPassword', fields, password);
      if (isLost(answer)) return asWriteAnswer(answer);
      const written = 'account' in answer ? answer.account : undefined;
      return written === undefined || isMeant(wire, link, written)
        ? withoutPassword(withoutPassword(answer, oldPassword), password)
        : { result: 'rejected', ...anotherAccount };
    },
    async verify({ account: { name, nativeId }, password }) {
      if (!served.verifies)
        return { result: 'inconclusive', reason: 'not_supported', vendorCode: null };
      const answer = await ask('verify', { account: { name, nativeId } }, password);
      if (isLost(answer)) {
        const { reason, vendorCode } = answer;
        return { result: 'inconclusive', reason, vendorCode };
      }
      return withoutPassword(answer, password);
    },
    async check() {
      const examined = await examine();
      if (examined.some(({ verdict }) => verdict === 'wrong')) return examined;
      return [...examined, ...findingsOf(wire, await ask('check', {}))];
    },
    ...(served.operations.includes('policies') && { policies: () => read('policies', {}) }),
    close,
  };
}

/** The program answers about an account that the link does not mean, so it does not keep the contract. */
const anotherAccount = { reason: 'account_replaced', vendorCode: 'another_account' } as const;

function isMeant({ naming }: WireConnector, link: AccountRef, account: AccountRef): boolean {
  const isNamed = isSameName(naming, account.name, link.name);
  const hasId = link.nativeId !== null && account.nativeId === link.nativeId;
  return linkedAccount(naming, link, isNamed ? account : null, hasId ? account : null).found;
}

const notSupported: SourceFailure = {
  result: 'failed',
  reason: 'not_supported',
  vendorCode: null,
};

async function exchange<O extends Operation>(
  call: Call,
  operation: O,
  fields: Fields,
  password: Secret | undefined,
): Promise<Answers[O] | Lost> {
  const request = requestOf(operation, fields, password);
  try {
    const reply = await call(request);
    if (isLost(reply)) return reply;
    return readAnswer(operation, reply.answer) ?? noAnswer('not_an_answer');
  } finally {
    request.fill(0);
  }
}

const isLost = (reply: object): reply is Lost => 'sent' in reply;

/** The program was called, and its reply is not an answer of the contract. */
export const noAnswer = (vendorCode: string): Lost => ({
  reason: 'unknown',
  vendorCode,
  sent: true,
});

function asWriteAnswer({ sent, vendorCode, reason, retryAfterMs }: Lost): WriteAnswer {
  if (sent) return { result: 'ambiguous', vendorCode };
  return {
    result: 'retry',
    reason,
    vendorCode,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

const asFailed = ({ sent: _, ...lost }: Lost): SourceFailure => ({ result: 'failed', ...lost });

function findingsOf(
  { answered, lost }: WireConnector,
  answer: CheckAnswer | Lost,
): readonly Finding[] {
  if (isLost(answer)) return [lost(answer)];
  if (answer.result === 'findings') return [...answered, ...answer.findings];
  // The operation check is optional.
  if (answer.reason === 'not_supported') return answered;
  return [{ check: 'answers', verdict: 'wrong', says: errors[answer.reason].says }];
}
