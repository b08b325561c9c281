import { Counter, Histogram } from 'prom-client';

const requestsTotal = new Counter({
  name: 'lockstep_api_requests_total',
  help: 'Requests to the api, by method, by route template (none for an unknown path) and by class of the HTTP status, such as 2xx.',
  labelNames: ['method', 'route', 'status'],
});

const requestSeconds = new Histogram({
  name: 'lockstep_api_request_duration_seconds',
  help: 'Time until a request was answered, by method and route template. It includes the wait that a caller has asked for, and leaves out event streams.',
  labelNames: ['method', 'route'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
});

export interface AnsweredRequest {
  readonly method: string;
  /** The template of the route, such as `/v1/changes/{id}`; undefined when no route matched. */
  readonly route: string | undefined;
  readonly status: number;
  readonly seconds: number;
  /** True for an event stream, which lasts as long as its client listens. */
  readonly streamed: boolean;
}

export function countRequest({ method, route, status, seconds, streamed }: AnsweredRequest): void {
  const labels = { method, route: route ?? 'none' };
  requestsTotal.inc({ ...labels, status: `${Math.floor(status / 100)}xx` });
  if (!streamed) requestSeconds.observe(labels, seconds);
}

/** Counts a request that never reached the routes, because it could not be parsed. */
export const countUnparsed = (): void =>
  requestsTotal.inc({ method: 'none', route: 'none', status: '4xx' });
