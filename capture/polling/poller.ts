import type { z } from 'zod';
import type { Startpoint } from '../../model/captures/startpoint';
import type { CodeOf } from '../../model/errors';
import type { Secret } from '../../model/passwords/secret';
import type { HandedOver } from '../hand-over/protocol';

/**
 * Reads changed passwords out of a source that keeps them: for a relay that nobody hands anything over to. A kind is a file
 * (or folder) and a line in `kinds.ts`.
 */
export interface Poller {
  /**
   * What was not acknowledged yet, the oldest first, and at most some hundred. Whoever asked destroys the secrets.
   * @throws PollFailure
   */
  read(): Promise<Page>;
  /** All of the page is durable, and is not read again unless the startpoint is moved. */
  acknowledge(page: Page): Promise<void>;
  /** Where the next page begins. @throws PollFailure */
  moveTo(startpoint: Startpoint): Promise<void>;
  close(): Promise<void>;
}

export interface Page {
  /** In the order in which they happened, of each account at least. `sequence` is the same when one is read again. */
  readonly captures: readonly HandedOver[];
  /** Where it ends, in the words of the poller. */
  readonly end: string;
  /** There is more to read at once. */
  readonly more: boolean;
  /** Something that came before is not there any more: it was trimmed, or the log was made anew. */
  readonly missed: boolean;
}

export interface PollerKind<Settings> {
  readonly kind: string;
  /** Strict; every field described. */
  readonly settings: z.ZodType<Settings>;
  readonly open: (settings: Settings, tools: PollerTools) => Promise<Poller>;
}

export interface PollerTools {
  /** Resolves `${file:…}` and `${env:…}`, at each use. */
  readonly resolve: (reference: string) => Secret;
  /** Durable, for pollers whose source does not keep it for them. */
  readonly place: Checkpoint;
  /** There is something to read: ends the wait before the next page. */
  readonly wake: () => void;
}

/**
 * So long a service password that was refused is not tried again, unless another one is in its place: nobody stands here to
 * say that it was put right, and each attempt is a step towards the lock of the service account.
 */
export const REFUSED_FOR_MS = 3_600_000;

/** How far a poller has come. */
export interface Checkpoint {
  /** Null before the first time. */
  current(): string | null;
  moveTo(place: string): Promise<void>;
}

/** Why nothing can be read now. Vendor text ends here: it may hold a password. */
export class PollFailure extends Error {
  readonly code: PollCode;
  readonly vendorCode: string | null;

  constructor(code: PollCode, vendorCode: string | null = null) {
    super(code);
    this.code = code;
    this.vendorCode = vendorCode;
  }
}

export type PollCode =
  | CodeOf<'offline' | 'unknown'>
  | 'no_rights'
  | 'not_supported'
  /** The source cannot go there: it does not know the cursor, or no longer. */
  | 'startpoint_unknown';
