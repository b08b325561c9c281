import type { z } from 'zod';
import type { Startpoint } from '../../model/captures/startpoint';
import type { CodeOf } from '../../model/errors';
import type { Secret } from '../../model/passwords/secret';
import type { HandedOver } from '../hand-over/protocol';

/**
 * Reads changed passwords from a source that stores them, if no agent hands them over. Each kind of poller is a file or folder
 * and a line in `kinds.ts`.
 */
export interface Poller {
  /**
   * Reads the oldest changes that were not acknowledged, at most a few hundred. The caller destroys their secrets.
   * @throws PollFailure if the source cannot be read
   */
  read(): Promise<Page>;
  /** Moves the checkpoint behind a page whose captures are durable. The page is not read again unless an operator moves the startpoint. */
  acknowledge(page: Page): Promise<void>;
  /** Sets where the next page begins. @throws PollFailure, with `startpoint_unknown` if the source cannot go there */
  moveTo(startpoint: Startpoint): Promise<void>;
  close(): Promise<void>;
}

/** A part of the changes of a source. */
export interface Page {
  /** The captures, in the order of the changes at least for each account. Reading one again yields the same `sequence`. */
  readonly captures: readonly HandedOver[];
  /** The checkpoint behind this page, in a format of the poller. */
  readonly end: string;
  /** Whether there is more to read at once. */
  readonly more: boolean;
  /** Whether changes before this page are lost: the source trimmed them or recreated its log. */
  readonly missed: boolean;
}

export interface PollerKind<Settings> {
  readonly kind: string;
  /** Strict schema of the settings; every field has a description. */
  readonly settings: z.ZodType<Settings>;
  readonly open: (settings: Settings, tools: PollerTools) => Promise<Poller>;
}

export interface PollerTools {
  /** Resolves a reference such as `${file:…}` or `${env:…}`. It is called for each use, so a changed secret takes effect. */
  readonly resolve: (reference: string) => Secret;
  /** Durable checkpoint for pollers whose source does not keep one. */
  readonly checkpoint: Checkpoint;
  /** Ends the wait before the next page, because there is something to read. */
  readonly wake: () => void;
}

/**
 * How long a rejected service password is not tried again, in milliseconds, unless it is replaced. No operator is at the relay
 * to confirm a fix, and each attempt risks a lockout of the service account.
 */
export const REFUSED_FOR_MS = 3_600_000;

/** A durable text that a poller saves to record how far it has read. */
export interface Checkpoint {
  /** The saved text; null if nothing was saved yet. */
  current(): string | null;
  moveTo(next: string): Promise<void>;
}

/** Why a source cannot be read now. It never carries text of the vendor, which may contain a password. */
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
  /** The source does not have the cursor of the startpoint, or no longer has it. */
  | 'startpoint_unknown';
