import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Right } from '../../model/api/scopes';
import type { ErrorCode } from '../../model/errors';
import type { Caller } from '../../store/api-keys';
import type { Dependencies } from './dependencies';
import type { MayBeSecret } from './scan';

/**
 * One entry of the route table, from which the router, the validation, the OpenAPI document and the tests are derived.
 * Every route names the right that it needs.
 */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** A path with parameters in braces, such as `/v1/changes/{id}`. */
  readonly path: string;
  /** The right that the API key needs; its scopes give it. */
  readonly right: Right;
  readonly summary: string;
  readonly description?: string;
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  readonly headers: z.ZodType;
  readonly body: RequestBody | null;
  readonly answers: Answers;
  /** The problems specific to this route. Problems that any route may answer are added automatically. */
  readonly problems: readonly ErrorCode[];
  handle(deps: Dependencies, call: Call<unknown, unknown, unknown, unknown>): Promise<Answer>;
}

export interface RequestBody<Schema extends z.ZodType = z.ZodType> {
  /** Members with the format `password` reach the handler as `Secret`s, which are destroyed after the answer. */
  readonly schema: Schema;
  /** Selects further text values, at any depth, that reach the handler as `Secret`s. */
  readonly mayBeSecret?: MayBeSecret;
  readonly limitBytes: number;
  readonly maxDepth: number;
  readonly examples?: Readonly<Record<string, unknown>>;
  /** `application/json` by default. */
  readonly contentTypes?: readonly string[];
}

/** The successful answers of a route, by HTTP status. */
export type Answers = Readonly<Record<number, AnswerShape>>;

interface AnswerShape {
  /** The description in the OpenAPI document. */
  readonly says: string;
  readonly schema?: z.ZodType;
  /** The description of each response header, by name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `application/json` by default if there is a schema. */
  readonly contentType?: string;
  /** The schema of the whole content of a stream, for the OpenAPI document only. */
  readonly streams?: z.ZodType;
}

export interface Call<Params, Query, Headers, Body> {
  readonly caller: Caller;
  readonly params: Params;
  readonly query: Query;
  readonly headers: Headers;
  readonly body: Body;
  /** Fires when the client has disconnected. */
  readonly gone: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Writes the content instead of a body, until it resolves. The headers carry its content type. */
  readonly stream?: (response: ServerResponse) => Promise<void>;
}

/** The answers that a handler may return, so that the compiler checks them against the OpenAPI document. */
export type AnswerOf<All extends Answers> = {
  [Status in keyof All & number]: Pick<Answer, 'headers' | 'stream'> & {
    readonly status: Status;
  } & (All[Status] extends { readonly schema: infer Schema extends z.ZodType }
      ? { readonly body: z.output<Schema> }
      : { readonly body?: undefined });
}[keyof All & number];

const nothing = z.strictObject({});
const anyHeaders = z.object({});

/** Creates an entry of the route table whose handler is typed by the schemas. */
export function route<
  const All extends Answers,
  Params extends z.ZodType = typeof nothing,
  Query extends z.ZodType = typeof nothing,
  Headers extends z.ZodType = typeof anyHeaders,
  Schema extends z.ZodType = z.ZodUndefined,
>(entry: {
  readonly method: Route['method'];
  readonly path: string;
  readonly right: Right;
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

/** Enough for a name, an account and two passwords, which is all that a password route takes. */
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
