import { Misconfigured } from '../config';
import { fileError } from '../start-errors';
import { isAway } from './database';

/** What the messages name of a database URL. The password is not part of it. */
interface Target {
  readonly address: string;
  readonly user: string;
  readonly database: string;
}

type Says = (target: Target) => string;

const UNTRUSTED: Says = ({ address }) =>
  `The certificate of PostgreSQL at ${address} is not trusted. Add sslrootcert=FILE to DATABASE_URL, with the certificate of its authority, and use the name that is in the certificate.`;

/** Errors that an operator has to correct, by the code of PostgreSQL or Node. */
const toCorrect: Readonly<Record<string, Says>> = {
  '28P01': ({ address, user }) =>
    `PostgreSQL at ${address} refuses the password of the user "${user}". Correct it in DATABASE_URL.`,
  '28000': ({ address, user, database }) =>
    `PostgreSQL at ${address} refuses the user "${user}" for the database "${database}". Create the user, and allow it in pg_hba.conf.`,
  '3D000': ({ address, database }) =>
    `PostgreSQL at ${address} has no database "${database}". Create it, or correct DATABASE_URL.`,
  '42501': ({ user, database }) =>
    `The user "${user}" may not create tables in the database "${database}". Make it the owner of the database.`,
  ERR_INVALID_URL: () =>
    'DATABASE_URL is not valid. It looks like postgres://user:password@host:5432/lockstep; write special characters of the password as %XX.',
};

/** Codes by which Node rejects a certificate, such as `CERT_HAS_EXPIRED` and `UNABLE_TO_VERIFY_LEAF_SIGNATURE`. */
const UNTRUSTED_CODE = /CERT|SIGNATURE|ALTNAME/;

/** Errors of the driver that have no code. */
const toCorrectByMessage: readonly (readonly [RegExp, Says])[] = [
  [
    /client password must be a (?:non-empty )?string/,
    ({ address, user }) =>
      `PostgreSQL at ${address} requires a password of the user "${user}", and DATABASE_URL has none. Add it: postgres://user:password@host:5432/lockstep.`,
  ],
  [
    /does not support SSL/,
    ({ address }) =>
      `PostgreSQL at ${address} has no TLS, which DATABASE_URL requires. Set ssl = on in postgresql.conf.`,
  ],
];

/** Why a database is unavailable for now, in the log. */
const away: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'no server listens there',
  ENOTFOUND: 'its host name cannot be resolved',
  EAI_AGAIN: 'its host name cannot be resolved at the moment',
  ETIMEDOUT: 'it does not answer',
  '53100': 'its disk is full',
  '53300': 'it has no free connection',
  '57P03': 'it is starting up or shutting down',
  '25006': 'it is read-only',
};

/** What the log shows of a database that cannot be reached. */
export function awayText(url: string, error: unknown): string {
  const code = codeOf(error);
  const why = Object.hasOwn(away, code) ? `: ${away[code]}` : '';
  return `the database cannot be reached at ${targetOf(url).address}${why}`;
}

/**
 * The error to throw for one that ends the start of a process.
 * @returns `Misconfigured` with what to do where the operator has to correct something; otherwise the error itself
 */
export function databaseError(url: string, error: unknown): unknown {
  if (!(error instanceof Error) || isAway(error)) return error;
  const code = codeOf(error);
  const [, byMessage] = toCorrectByMessage.find(([message]) => message.test(error.message)) ?? [];
  const says =
    (Object.hasOwn(toCorrect, code) ? toCorrect[code] : byMessage) ??
    (UNTRUSTED_CODE.test(code) ? UNTRUSTED : undefined);
  return says === undefined
    ? fileError('DATABASE_URL', 'its certificate file', error)
    : new Misconfigured(says(targetOf(url)));
}

function codeOf(error: unknown): string {
  const { code, errors } = (error ?? {}) as { code?: unknown; errors?: readonly unknown[] };
  if (typeof code === 'string') return code;
  return errors?.[0] === undefined ? '' : codeOf(errors[0]);
}

function targetOf(url: string): Target {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const host = parsed?.searchParams.get('host') ?? parsed?.hostname ?? '';
  return {
    address: `${host === '' ? 'the default host' : host}:${parsed?.port || 5432}`,
    user: decodeURIComponent(parsed?.username ?? ''),
    database: decodeURIComponent(parsed?.pathname.slice(1) ?? ''),
  };
}
