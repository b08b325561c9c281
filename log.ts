import pino from 'pino';
import { environment } from './config';
import { describeError } from './described-error';
import { openLogOutput } from './log-output';

/**
 * The fields that a log line may hold. Any other field does not compile. An allow-list is used because redaction of
 * arbitrary fields always misses a path (reference reliability §4, L5).
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
  readonly noticeId?: string;
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
  /** Logged with its name, code and stack frames only, because the message of an error may quote its input. */
  readonly error?: unknown;
}

const output = openLogOutput((count) =>
  log.warn('lines of this log were lost, because they could not be written', { count }),
);
const logger = pino(
  {
    level: environment.LOCKSTEP_LOG_LEVEL,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  },
  output,
);

const lineOf = ({ error, ...fields }: LogFields): Record<string, unknown> =>
  error === undefined ? fields : { ...fields, error: describeError(error) };

/** The only log of Lockstep: one JSON line on stdout for each call, at the level `LOCKSTEP_LOG_LEVEL` or above. */
export const log = {
  debug: (message: string, fields: LogFields = {}) => logger.debug(lineOf(fields), message),
  info: (message: string, fields: LogFields = {}) => logger.info(lineOf(fields), message),
  warn: (message: string, fields: LogFields = {}) => logger.warn(lineOf(fields), message),
  error: (message: string, fields: LogFields = {}) => logger.error(lineOf(fields), message),
};
