import type { Request } from 'express';
import { hasRight, type Right } from '../../model/api/scopes';
import type { Caller } from '../../store/api-keys';
import type { Dependencies } from '../http/dependencies';
import { check } from '../http/input';
import { HttpProblem } from '../http/problem';
import type { Answer, Route } from '../http/route';
import { routes } from '../routes';

/** A request of a page to a route of the public API. */
export interface PageRequest {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Sends requests of a page to the routes of the API, within this process and with the rights of the page's caller. */
export interface PageApi {
  readonly caller: Caller;
  may(right: Right): boolean;
  /** @throws HttpProblem as the route does, and `forbidden` without the right of the route */
  answer(method: Route['method'], path: string, request?: PageRequest): Promise<Answer>;
  /** The body of the answer. The caller names its type, which the schema of the route guarantees. */
  get<T>(path: string, request?: PageRequest): Promise<T>;
}

/** A page has no more rights than its caller has over HTTP: the right and the schemas of the route apply to it, too. */
export function pageApi(deps: Dependencies, caller: Caller, gone: AbortSignal): PageApi {
  const answer: PageApi['answer'] = async (method, path, request = {}) => {
    const route = routes.find((one) => one.method === method && one.path === path);
    if (route === undefined) throw new HttpProblem('not_found');
    if (!hasRight(caller.scopes, route.right)) throw new HttpProblem('forbidden');
    return route.handle(deps, {
      caller,
      params: check(route.params, request.params ?? {}, 'path'),
      query: check(route.query, withoutEmpty(request.query ?? {}), 'query'),
      headers: check(route.headers, request.headers ?? {}, 'header'),
      body: route.body === null ? undefined : check(route.body.schema, request.body),
      gone,
    });
  };
  return {
    caller,
    may: (right) => hasRight(caller.scopes, right),
    answer,
    get: async <T>(path: string, request?: PageRequest) =>
      (await answer('get', path, request)).body as T,
  };
}

/** A form sends empty fields for filters that are not set. */
const withoutEmpty = (query: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(
    Object.entries(query).filter(([, value]) => value !== undefined && value !== ''),
  );

/** The query of a request as text; a repeated parameter counts once. */
export const queryOf = (request: Request): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.query).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value]] : [],
    ),
  );
