import { z } from 'zod';
import type { RequestBody } from '../api/http/route';
import type { Secret } from '../model/passwords/secret';
import type { Caller } from '../store/api-keys';
import type { LookupDependencies } from './dependencies';

interface Call<Params, Query, Body> {
  readonly caller: Caller;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}

/** A body in JSON; one with a password is a secret, which is destroyed when the answer was sent. */
type Answer = Secret | Readonly<Record<string, unknown>>;

/** One route of the lookup service. Each of them needs an API key with the right `look-up`. */
export interface LookupRoute {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  readonly body: RequestBody | null;
  handle(deps: LookupDependencies, call: Call<unknown, unknown, unknown>): Promise<Answer>;
}

const nothing = z.strictObject({});

/** Creates a route whose handler is typed by the schemas. */
export function lookupRoute<
  Params extends z.ZodType = typeof nothing,
  Query extends z.ZodType = typeof nothing,
  Schema extends z.ZodType = z.ZodUndefined,
>(entry: {
  readonly method: LookupRoute['method'];
  readonly path: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: RequestBody<Schema>;
  readonly handle: (
    deps: LookupDependencies,
    call: Call<z.output<Params>, z.output<Query>, z.output<Schema>>,
  ) => Promise<Answer>;
}): LookupRoute {
  const { params = nothing, query = nothing, body = null } = entry;
  return { ...entry, params, query, body };
}
