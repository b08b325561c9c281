import type { z } from 'zod';
import { type CodeOf, errors } from '../../model/errors';
import type { Secret } from '../../model/passwords/secret';
import type { Connector, Finding, SourceFailure, VerifyAnswer, WriteAnswer } from '../contract';
import { type Answers, answers, type CheckAnswer, type Operation } from './answers';
import { type Fields, requestOf } from './requests';

/**
 * Brings one request to somebody else's program and its answer back. It does not throw. It may read `request` until it
 * resolves, and zeroes nothing of it.
 */
export type Call = (request: Buffer) => Promise<Reply>;

/** What came back as JSON, or why nothing did. */
export type Reply = { readonly answer: unknown } | Lost;

export interface Lost {
  readonly reason: CodeOf<'offline' | 'unknown'>;
  readonly vendorCode: string | null;
  readonly retryAfterMs?: number;
  /** The program may have read the request, and acted. */
  readonly sent: boolean;
}

export interface Served {
  /** Whether it can prove a password: `verify` is asked for only then. */
  readonly verifies: boolean;
  readonly operations: readonly Operation[];
}

/** Settings that say what a program can do are read alike, however it is called. */
export interface WireConnector {
  readonly call: Call;
  readonly served: Served;
  /** What can be seen before it is called. */
  readonly examine: () => Promise<readonly Finding[]>;
  /** What it shows that it answers, and that it does not. */
  readonly answered: readonly Finding[];
  readonly lost: (lost: Lost) => Finding;
  readonly close: () => Promise<void>;
}

/** A connector whose other side speaks the contract itself, in JSON. */
export function openWire(wire: WireConnector): Connector {
  const { call, served, examine, close } = wire;
  const ask = <O extends Operation>(operation: O, fields: Fields, password?: Secret) =>
    asked(call, operation, fields, password);
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
      // Whoever takes the match for less than it is must not link a stranger.
      const exact = answer.accounts.filter(({ attributes }) =>
        Object.entries(match).every(([name, value]) => attributes[name] === value),
      );
      return { result: 'found', accounts: exact.slice(0, limit) };
    },
    async list({ cursor, pageSize }) {
      const answer = await read('list', { cursor, pageSize });
      // One that leads to itself would never end.
      const endless =
        answer.result === 'page' && answer.cursor !== null && answer.cursor === cursor;
      return endless ? asFailed(noAnswer('same_cursor')) : answer;
    },
    state: ({ account: { name, nativeId } }) => read('state', { account: { name, nativeId } }),
    async setPassword({ account: { name, nativeId }, password }): Promise<WriteAnswer> {
      const answer = await ask('setPassword', { account: { name, nativeId } }, password);
      return isLost(answer) ? asWriteAnswer(answer) : withoutPassword(answer, password);
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
      const seen = await examine();
      if (seen.some(({ verdict }) => verdict === 'wrong')) return seen;
      return [...seen, ...findingsOf(wire, await ask('check', {}))];
    },
    ...(served.operations.includes('policies') && { policies: () => read('policies', {}) }),
    close,
  };
}

const notSupported: SourceFailure = {
  result: 'failed',
  reason: 'not_supported',
  vendorCode: null,
};

async function asked<O extends Operation>(
  call: Call,
  operation: O,
  fields: Fields,
  password: Secret | undefined,
): Promise<Answers[O] | Lost> {
  const request = requestOf(operation, fields, password);
  try {
    const reply = await call(request);
    if (isLost(reply)) return reply;
    const parsed = (answers[operation] as z.ZodType<Answers[O]>).safeParse(reply.answer);
    return parsed.success ? parsed.data : noAnswer('not_an_answer');
  } finally {
    request.fill(0);
  }
}

const isLost = (reply: object): reply is Lost => 'sent' in reply;

/** It was called, and what came back is nothing that the contract knows. */
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

/** What is free text in an answer is dropped when it repeats the password. */
function withoutPassword<A extends WriteAnswer | VerifyAnswer>(answer: A, password: Secret): A {
  const { vendorCode = null, movedTo } = answer as { vendorCode?: string | null; movedTo?: string };
  const repeats = (text: string | null | undefined) =>
    typeof text === 'string' && password.use((bytes) => Buffer.from(text).includes(bytes));
  return {
    ...answer,
    ...(repeats(vendorCode) && { vendorCode: null }),
    ...(repeats(movedTo) && { movedTo: undefined }),
  };
}

function findingsOf(
  { answered, lost }: WireConnector,
  answer: CheckAnswer | Lost,
): readonly Finding[] {
  if (isLost(answer)) return [lost(answer)];
  if (answer.result === 'findings') return [...answered, ...answer.findings];
  // A check of its own is not asked for.
  if (answer.reason === 'not_supported') return answered;
  return [{ check: 'answers', verdict: 'wrong', says: errors[answer.reason].says }];
}
