import { type PasswordFilter, rewrite } from '../model/password-filter';
import type { Secret } from '../model/secret';
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

/** The same for both passwords of a change; null when too little of the new one is left. */
export const withFilteredPasswords = <T>(
  filter: PasswordFilter | undefined,
  { next, current }: Passwords,
  use: (written: Passwords | null) => Promise<T>,
): Promise<T> =>
  withFiltered(filter, next, (writtenNext) => {
    if (writtenNext === null) return use(null);
    if (current === null) return use({ next: writtenNext, current });
    // One of which nothing is left is not the one that the account has: its source says so.
    return withFiltered(filter, current, (writtenCurrent) =>
      use({ next: writtenNext, current: writtenCurrent ?? current }),
    );
  });
