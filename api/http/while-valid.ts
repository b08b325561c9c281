import type { Caller } from '../../store/api-keys';
import type { Dependencies } from './dependencies';

/** Runs a stream until its client is gone, or the API key that opened it is not accepted any more. */
export async function whileValid(
  { keys }: Dependencies,
  { keyId, secretHash }: Caller,
  gone: AbortSignal,
  stream: (ended: AbortSignal) => Promise<void>,
): Promise<void> {
  const invalid = new AbortController();
  const unfollow = keys.follow(keyId, (accepted) => {
    if (!accepted.includes(secretHash ?? '')) invalid.abort();
  });
  try {
    await stream(AbortSignal.any([gone, invalid.signal]));
  } finally {
    unfollow();
  }
}

/** Runs a stream until its client is gone, or the session that opened it has ended. */
export async function whileSignedIn(
  { sessions }: Dependencies,
  sessionId: string,
  gone: AbortSignal,
  stream: (ended: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const unfollow = sessions.follow(sessionId, ({ isOpen }) => {
    if (!isOpen) over.abort();
  });
  try {
    await stream(AbortSignal.any([gone, over.signal]));
  } finally {
    unfollow();
  }
}
