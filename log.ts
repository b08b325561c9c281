import pino from 'pino';
import { environment, Misconfigured } from './config';

/**
 * Everything that a log line may hold. A field that is not here does not compile, and what is not of the named type
 * does not get out: redaction of whatever happens to be logged always misses a path (reference reliability §4, L5).
 */
export interface LogFields {
  readonly changeId?: string;
  readonly source?: string;
  readonly relay?: string;
  readonly account?: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly vendorCode?: string | null;
  readonly code?: string;
  readonly epoch?: string;
  readonly keyId?: string;
  readonly requestId?: string;
  readonly method?: string;
  readonly route?: string;
  readonly status?: number;
  readonly durationMs?: number;
  readonly count?: number;
  readonly attempt?: number;
  readonly address?: string;
  readonly version?: number;
  readonly signal?: string;
  /** Only its name, code and the places of its stack get out: messages quote what they choke on. */
  readonly error?: unknown;
}

const logger = pino({
  level: environment.LOCKSTEP_LOG_LEVEL,
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
});

const lineOf = ({ error, ...fields }: LogFields): Record<string, unknown> =>
  error === undefined ? fields : { ...fields, error: describeError(error) };

function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    ...(error instanceof Misconfigured ? { says: error.message } : {}),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    at: (error.stack ?? '')
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .map((line) => line.trim()),
  };
}

export const log = {
  debug: (message: string, fields: LogFields = {}) => logger.debug(lineOf(fields), message),
  info: (message: string, fields: LogFields = {}) => logger.info(lineOf(fields), message),
  warn: (message: string, fields: LogFields = {}) => logger.warn(lineOf(fields), message),
  error: (message: string, fields: LogFields = {}) => logger.error(lineOf(fields), message),
};
