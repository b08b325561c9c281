import type { Secret } from '../model/passwords/secret';
import type { AccountRef, VerifyAnswer, WriteAnswer } from './contract';

/** Removes each free text of an answer that repeats the password. */
export function withoutPassword<A extends WriteAnswer | VerifyAnswer>(
  answer: A,
  password: Secret | undefined,
): A {
  if (password === undefined) return answer;
  const { vendorCode = null, account } = answer as {
    vendorCode?: string | null;
    account?: AccountRef;
  };
  const repeats = (text: string | null | undefined) =>
    typeof text === 'string' && password.use((bytes) => Buffer.from(text).includes(bytes));
  return {
    ...answer,
    ...(repeats(vendorCode) && { vendorCode: null }),
    ...((repeats(account?.name) || repeats(account?.nativeId)) && { account: undefined }),
  };
}
