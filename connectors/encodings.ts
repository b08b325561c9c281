import { createHash, pbkdf2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import {
  type Encoded,
  layoutOf,
  readEncoded,
  type Scheme,
  writeEncoded,
} from '../model/hashes/encoding';
import type { Hashed, Scrypt } from '../model/hashes/layout';
import type { Secret } from '../model/passwords/secret';
import { deriveInThread } from './hashing';
import { scramKeys } from './scram';

/**
 * Hashes a password, in the text form of the scheme. Only simple digests run on the event loop; other algorithms use
 * other threads.
 * @param saltBytes 16 bytes; the same bytes give the same hash
 */
export async function encode(
  scheme: Scheme,
  password: Secret,
  saltBytes: Buffer = randomBytes(16),
): Promise<string> {
  const { recipe, salt } = layoutOf(scheme);
  const parameters = { recipe, salt: salt(saltBytes) };
  const key = await derive({ ...parameters, key: Buffer.alloc(DERIVED_BYTES) }, password);
  return writeEncoded({ scheme, ...parameters, key });
}

/** Whether a stored hash, of any supported scheme, is of this password. Null if its scheme is not supported. */
export async function holds(stored: string, password: Secret): Promise<boolean | null> {
  const encoded = readEncoded(stored);
  return encoded === null ? null : matches(encoded, password);
}

async function matches(encoded: Encoded, password: Secret): Promise<boolean> {
  if (isTooLong(encoded.scheme, password)) return false;
  const derived = await derive(encoded, password);
  return derived.length === encoded.key.length && timingSafeEqual(derived, encoded.key);
}

/** Size of the keys that Lockstep makes, for algorithms that let the caller choose it. */
const DERIVED_BYTES = 32;
const BCRYPT_BYTES = 72;

/**
 * Whether the password is too long for the scheme. bcrypt ignores the bytes after the 72nd, and some of its
 * implementations reject a longer password, so Lockstep does not hash one.
 */
export const isTooLong = (scheme: Scheme, password: Secret): boolean =>
  scheme === 'bcrypt' && password.use((bytes) => bytes.length > BCRYPT_BYTES);

const derivePbkdf2 = promisify(pbkdf2);
const sizes = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 } as const;

/** Derives the key of a hash. Each algorithm copies the password before it returns, so lending it for the call suffices. */
function derive({ recipe, salt, key }: Hashed, password: Secret): Promise<Buffer> {
  switch (recipe.algorithm) {
    case 'digest':
      return password.use(async (bytes) =>
        createHash(recipe.digest).update(bytes).update(salt).digest(),
      );
    case 'double-sha1':
      return password.use(async (bytes) => {
        const once = createHash('sha1').update(bytes).digest();
        return createHash('sha1').update(once).digest();
      });
    case 'pbkdf2': {
      const { digest, iterations } = recipe;
      // Always the full length: a stored key that was cut short is a prefix of the full one and must not match.
      return password.use((bytes) => derivePbkdf2(bytes, salt, iterations, sizes[digest], digest));
    }
    case 'scrypt':
      return deriveScrypt(recipe, salt, key.length, password);
    case 'scram':
      return deriveScram(recipe.iterations, salt, password);
    default:
      return deriveInThread({ recipe, salt, size: key.length }, password);
  }
}

function deriveScrypt(
  { log2N, r, p }: Scrypt,
  salt: Buffer,
  size: number,
  password: Secret,
): Promise<Buffer> {
  const N = 2 ** log2N;
  const options = { N, r, p, maxmem: 2 * 128 * N * r };
  return password.use(
    (bytes) =>
      new Promise((resolve, reject) =>
        scrypt(bytes, salt, size, options, (error, key) => (error ? reject(error) : resolve(key))),
      ),
  );
}

async function deriveScram(iterations: number, salt: Buffer, password: Secret): Promise<Buffer> {
  const { clientKey, storedKey, serverKey } = await scramKeys(password, salt, iterations);
  clientKey.fill(0);
  return Buffer.concat([storedKey, serverKey]);
}
