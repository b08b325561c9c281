import type { MessageResult } from '../model/adapters/message';
import type { Reason } from '../model/errors';
import type { Secret } from '../model/passwords/secret';

/** The messages to the adapter of one source. The worker implements it, because the messages are in its database. */
export interface Mailbox {
  /** Time for which a write waits for its acknowledgement. */
  readonly acknowledgedWithinMs: number;
  /**
   * Makes sure that the message of a write is stored, sealed to the present key of the adapter. The message of an earlier
   * attempt is found again and never written twice.
   */
  put(message: PullMessage): Promise<MessageStatus>;
  /** Resolves when a message may have got a result, after `waitMs` at the latest. */
  waitForResult(id: string, waitMs: number): Promise<void>;
  /** Deletes a message. @returns false when it was delivered already; then it stays */
  withdraw(id: string): Promise<boolean>;
  /** What is known about the adapter; null when it has never initialised. */
  adapter(): Promise<{ readonly online: boolean; readonly ownKey: boolean } | null>;
}

/** The write of one change at one account. It is the same in each attempt. */
export interface WriteOf {
  readonly changeId: string;
  /** Label of the account in the change. */
  readonly label: string;
  readonly accountId: string;
  /** Grows with each change of the person. */
  readonly seq: number;
}

export interface PullMessage {
  readonly of: WriteOf;
  readonly account: string;
  readonly password: Secret;
  /** The password before; null when it is not sent or not known. */
  readonly oldPassword: Secret | null;
  /** Deliveries after which the adapter counts as silent, the first one included. */
  readonly mostDeliveries: number;
  readonly leaseSeconds: number;
  /** Null for the age limit of changes alone. */
  readonly maxAgeSeconds: number | null;
}

/**
 * - `queued`: the adapter has not received the message.
 * - `delivered`: the adapter has received the message, so it may have written the password.
 * - `offline`: no adapter is connected, and no message is stored.
 * - `replaced`: a newer change has claimed the account, so no message is stored.
 */
export type MessageStatus =
  | {
      readonly status: 'queued';
      readonly id: string;
      /** Whether the adapter may still be working on a message of another change of the account. */
      readonly behind: boolean;
    }
  | { readonly status: 'delivered'; readonly id: string }
  | { readonly status: 'offline' | 'replaced' }
  | {
      readonly status: 'settled';
      readonly result: MessageResult;
      readonly reason: Reason | null;
      readonly vendorCode: string | null;
      readonly retryAfterMs: number | null;
    };
