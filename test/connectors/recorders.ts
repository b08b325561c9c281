import { Client } from 'ldapts';
import mysql from 'mysql2';
import pg from 'pg';

/** Begins to record requests. @returns a function that ends the recording and returns the names of the requests, in order */
export type Recorder = () => () => readonly string[];

interface Spied {
  readonly target: object;
  readonly method: string;
  /** Returns the name of a request from its first argument. */
  readonly nameOf: (argument: unknown) => string;
}

/** Records the calls of methods, which still run. */
const calls =
  (spied: readonly Spied[]): Recorder =>
  () => {
    const seen: string[] = [];
    const spies = spied.map(({ target, method, nameOf }) => {
      const holder = target as Readonly<Record<string, (...all: unknown[]) => unknown>>;
      const original = holder[method];
      return jest.spyOn(holder, method).mockImplementation(function (this: unknown, ...all) {
        seen.push(nameOf(all[0]));
        return original?.apply(this, all);
      });
    });
    return () => {
      for (const spy of spies) spy.mockRestore();
      return seen;
    };
  };

const named = (target: object, method: string, name = method): Spied => ({
  target,
  method,
  nameOf: () => name,
});

const statement = (sql: unknown): string => /^\W*(\w+)/.exec(String(sql))?.[1] ?? '';

/** The requests of ldapts. */
export const ldapRequests = calls(
  ['bind', 'search', 'modify', 'exop', 'compare'].map((method) => named(Client.prototype, method)),
);

/** The first words of statements of `pg`, and the logins over its wire connection. */
export const postgresRequests = calls([
  { target: pg.Client.prototype, method: 'query', nameOf: statement },
  named(pg.Connection.prototype, 'startup', 'login'),
]);

/** The first words of statements of `mysql2`. */
export const mysqlRequests = calls([
  {
    target: mysql.Connection.prototype,
    method: 'execute',
    nameOf: (sql) => statement((sql as { sql?: string }).sql ?? sql),
  },
]);

/** The requests that a server has seen since. */
export const seenRequests =
  (seen: () => readonly string[]): Recorder =>
  () => {
    const before = seen().length;
    return () => seen().slice(before);
  };

/** The methods of requests that are recorded as method and path. */
export const methodsOf = (requests: readonly string[]): readonly string[] =>
  requests.map((request) => request.split(' ')[0] ?? '');
