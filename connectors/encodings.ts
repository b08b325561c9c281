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
import { deriveApart } from './hashing';
import { scramKeys } from './scram';

/** Makes and checks hashed passwords. All but a single digest run beside the event loop. */

/** @param drawn 16 bytes: the same give the same hash */
export async function encode(
  scheme: Scheme,
  password: Secret,
  drawn: Buffer = randomBytes(16),
): Promise<string> {
  const { recipe, salt } = layoutOf(scheme);
  const made = { recipe, salt: salt(drawn) };
  const key = await derive({ ...made, key: Buffer.alloc(DERIVED_BYTES) }, password);
  return writeEncoded({ scheme, ...made, key });
}

/** Whether the stored value is this password, in whichever scheme; null when it is in none that is known here. */
export async function holds(stored: string, password: Secret): Promise<boolean | null> {
  const encoded = readEncoded(stored);
  return encoded === null ? null : matches(encoded, password);
}

async function matches(encoded: Encoded, password: Secret): Promise<boolean> {
  if (isTooLong(encoded.scheme, password)) return false;
  const derived = await derive(encoded, password);
  return derived.length === encoded.key.length && timingSafeEqual(derived, encoded.key);
}

/** Of the keys that may have any length: of those that we make. */
const DERIVED_BYTES = 32;
const BCRYPT_BYTES = 72;

/** bcrypt leaves out what comes later, and some of its readers refuse it. Such a password is not encoded. */
export const isTooLong = (scheme: Scheme, password: Secret): boolean =>
  scheme === 'bcrypt' && password.use((bytes) => bytes.length > BCRYPT_BYTES);

const derivePbkdf2 = promisify(pbkdf2);
const sizes = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 } as const;

/** Every one takes what it needs of the password before it returns: lending it for the call is enough. */
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
      // As long as it should be: a key that was cut short is the beginning of the whole one, and would match.
      return password.use((bytes) => derivePbkdf2(bytes, salt, iterations, sizes[digest], digest));
    }
    case 'scrypt':
      return deriveScrypt(recipe, salt, key.length, password);
    case 'scram':
      return deriveScram(recipe.iterations, salt, password);
    default:
      return deriveApart({ recipe, salt, size: key.length }, password);
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
