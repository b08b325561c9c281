import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { ErrorCode } from '../../model/errors';
import type { Caller } from '../../store/api-keys';
import type { Scope } from '../../store/tables';
import type { Dependencies } from './dependencies';
import type { MayBeSecret } from './scan';

/**
 * One entry of the table of routes: all that the router, the checks, the OpenAPI document and the tests know of it.
 * There is no route without a scope.
 */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** `/v1/changes/{id}` */
  readonly path: string;
  /** What the API key must be allowed to do. `admin` is allowed everything. */
  readonly scope: Scope;
  readonly summary: string;
  readonly description?: string;
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  readonly headers: z.ZodType;
  readonly body: RequestBody | null;
  readonly answers: Answers;
  /** Those of this route; what any route may answer is added by itself. */
  readonly problems: readonly ErrorCode[];
  handle(deps: Dependencies, call: Call<unknown, unknown, unknown, unknown>): Promise<Answer>;
}

export interface RequestBody<Schema extends z.ZodType = z.ZodType> {
  /** Members of the format `password` reach the handler as `Secret`s, which are destroyed after the answer. */
  readonly schema: Schema;
  /** Texts that reach the handler as `Secret`s too, wherever they are. */
  readonly mayBeSecret?: MayBeSecret;
  readonly limitBytes: number;
  readonly maxDepth: number;
  readonly examples?: Readonly<Record<string, unknown>>;
}

/** By HTTP status. */
export type Answers = Readonly<Record<number, AnswerShape>>;

interface AnswerShape {
  readonly says: string;
  readonly schema?: z.ZodType;
  /** Name to what it says. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `application/json` where there is a schema. */
  readonly contentType?: string;
  /** Of a stream, as a whole. */
  readonly streams?: z.ZodType;
}

export interface Call<Params, Query, Headers, Body> {
  readonly caller: Caller;
  readonly params: Params;
  readonly query: Query;
  readonly headers: Headers;
  readonly body: Body;
  /** The client has gone away. */
  readonly gone: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of a body, whose type is in the headers: what it writes until it resolves. */
  readonly stream?: (response: ServerResponse) => Promise<void>;
}

/** What a handler may return, so that the compiler holds it to what the document promises. */
export type AnswerOf<All extends Answers> = {
  [Status in keyof All & number]: Pick<Answer, 'headers' | 'stream'> & {
    readonly status: Status;
  } & (All[Status] extends { readonly schema: infer Schema extends z.ZodType }
      ? { readonly body: z.output<Schema> }
      : { readonly body?: undefined });
}[keyof All & number];

const nothing = z.strictObject({});
const anyHeaders = z.object({});

/** An entry of the table, with the handler typed by the schemas. */
export function route<
  const All extends Answers,
  Params extends z.ZodType = typeof nothing,
  Query extends z.ZodType = typeof nothing,
  Headers extends z.ZodType = typeof anyHeaders,
  Schema extends z.ZodType = z.ZodUndefined,
>(entry: {
  readonly method: Route['method'];
  readonly path: string;
  readonly scope: Scope;
  readonly summary: string;
  readonly description?: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly headers?: Headers;
  readonly body?: RequestBody<Schema>;
  readonly answers: All;
  readonly problems?: readonly ErrorCode[];
  readonly handle: (
    deps: Dependencies,
    call: Call<z.output<Params>, z.output<Query>, z.output<Headers>, z.output<Schema>>,
  ) => Promise<AnswerOf<NoInfer<All>>>;
}): Route {
  const { params = nothing, query = nothing, headers = anyHeaders, body = null } = entry;
  return { problems: [], ...entry, params, query, headers, body };
}

/** No body of a password route is larger: a name, an account, two passwords. */
const SMALL = { limitBytes: 16 * 1024, maxDepth: 8 };
const LARGE = { limitBytes: 1024 * 1024, maxDepth: 32 };

type Examples = RequestBody['examples'];

export const smallBody = <Schema extends z.ZodType>(
  schema: Schema,
  examples?: Examples,
): RequestBody<Schema> => ({ schema, ...SMALL, examples });

export const largeBody = <Schema extends z.ZodType>(
  schema: Schema,
  examples?: Examples,
): RequestBody<Schema> => ({ schema, ...LARGE, examples });
