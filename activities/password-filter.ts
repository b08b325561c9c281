import type { CodeOf } from '../model/errors';
import type { Secret } from '../model/passwords/secret';
import { type PasswordFilter, rewrite } from '../model/policy/password-filter';
import type { Passwords } from '../sealing/passwords';

/**
 * Lends what a source gets in the place of a password: one value for the write, its proof and the credentials of its
 * mappings. Null when its filter leaves too little of it.
 */
export async function withFiltered<T>(
  filter: PasswordFilter | undefined,
  password: Secret,
  use: (written: Secret | null) => Promise<T>,
): Promise<T> {
  if (filter === undefined) return use(password);
  const written = rewrite(filter, password);
  try {
    return await use(written);
  } finally {
    written?.destroy();
  }
}

/** The same for both passwords of a change; or why there is nothing that its source could get. */
export function withFilteredPasswords<T>(
  filter: PasswordFilter | undefined,
  passwords: Passwords,
  use: (written: Passwords | Nothing) => Promise<T>,
): Promise<T> {
  const { next, current } = passwords;
  // What a filter would leave out of a hash is not what the filter is about.
  if (filter !== undefined && passwords.form !== 'plaintext') return use('encoding_not_supported');
  return withFiltered(filter, next, (writtenNext) => {
    if (writtenNext === null) return use('policy_too_short');
    if (current === null) return use({ ...passwords, next: writtenNext });
    // One of which nothing is left is not the one that the account has: its source says so.
    return withFiltered(filter, current, (writtenCurrent) =>
      use({ ...passwords, next: writtenNext, current: writtenCurrent ?? current }),
    );
  });
}

export type Nothing = Extract<CodeOf<'rejected'>, 'policy_too_short' | 'encoding_not_supported'>;
