import { createHash, pbkdf2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Secret } from '../model/secret';
import { scramKeys, scramVerifier } from './scram';

/** A way to keep a password that its reader, an application or a directory, knows how to check. */
export interface Encoding {
  readonly produce: (password: Secret) => Promise<string>;
  /** Takes a stored value apart; null when it is of another encoding, or asks for more work than a login may. */
  readonly read: (stored: string) => StoredHash | null;
}

interface StoredHash {
  readonly key: Buffer;
  readonly derive: (password: Secret) => Promise<Buffer>;
}

export const schemes = [
  'ssha256',
  'ssha512',
  'pbkdf2-sha256',
  'pbkdf2-sha512',
  'django-pbkdf2-sha256',
  'scrypt',
  'scram-sha-256',
] as const;
export type Scheme = (typeof schemes)[number];

/** Iterations and memory as the OWASP Password Storage Cheat Sheet asks for each; all but SSHA run beside the event loop. */
export const encodings: Readonly<Record<Scheme, Encoding>> = {
  ssha256: saltedDigest('SSHA256', 'sha256', 32),
  ssha512: saltedDigest('SSHA512', 'sha512', 64),
  'pbkdf2-sha256': ldapPbkdf2('PBKDF2-SHA256', 'sha256', 32, 600_000),
  'pbkdf2-sha512': ldapPbkdf2('PBKDF2-SHA512', 'sha512', 64, 210_000),
  'django-pbkdf2-sha256': djangoPbkdf2(600_000),
  scrypt: phcScrypt({ log2N: 14, r: 8, p: 5 }),
  'scram-sha-256': scram(),
};

/** Whether the stored value is this password, in whichever encoding; null when it is in none that is known here. */
export async function holds(stored: string, password: Secret): Promise<boolean | null> {
  for (const encoding of Object.values(encodings)) {
    const hash = encoding.read(stored);
    if (hash === null) continue;
    const derived = await hash.derive(password);
    return derived.length === hash.key.length && timingSafeEqual(derived, hash.key);
  }
  return null;
}

const SALT_BYTES = 16;

/** The application would spend as long on a login. */
const MOST_ITERATIONS = 10_000_000;
const MOST_MEMORY = 256 * 1024 * 1024;

/** RFC 2307 with a salt: digest and salt together, as OpenLDAP's pw-sha2 has it. */
function saltedDigest(name: string, algorithm: string, size: number): Encoding {
  const pattern = new RegExp(`^\\{${name}\\}([A-Za-z0-9+/]+={0,2})$`, 'i');
  const digest = (password: Secret, salt: Buffer) =>
    password.use((bytes) => createHash(algorithm).update(bytes).update(salt).digest());
  return {
    async produce(password) {
      const salt = randomBytes(SALT_BYTES);
      const both = Buffer.concat([digest(password, salt), salt]);
      return `{${name}}${both.toString('base64')}`;
    },
    read(stored) {
      const [, encoded] = pattern.exec(stored) ?? [];
      if (encoded === undefined) return null;
      const both = Buffer.from(encoded, 'base64');
      const salt = both.subarray(size);
      // Without its padding it was cut short, and strict readers refuse it.
      if (salt.length === 0 || both.toString('base64') !== encoded) return null;
      return { key: both.subarray(0, size), derive: async (password) => digest(password, salt) };
    },
  };
}

const derivePbkdf2 = promisify(pbkdf2);

/** `pbkdf2` copies the password before it returns, so lending it for the call is enough. */
const pbkdf2Of = (
  password: Secret,
  salt: Buffer,
  iterations: number,
  size: number,
  algorithm: string,
) => password.use((bytes) => derivePbkdf2(bytes, salt, iterations, size, algorithm));

/**
 * `{PBKDF2-SHA256}iterations$salt$key` in adapted base64 (`.` for `+`, no padding), as OpenLDAP's pw-pbkdf2 has it.
 * 389 Directory Server writes plain base64, which is read too.
 */
function ldapPbkdf2(name: string, algorithm: string, size: number, iterations: number): Encoding {
  const pattern = new RegExp(
    `^\\{${name}\\}(\\d+)\\$([A-Za-z0-9+./=]+)\\$([A-Za-z0-9+./=]+)$`,
    'i',
  );
  const encode = (bytes: Buffer) =>
    bytes.toString('base64').replaceAll('+', '.').replaceAll('=', '');
  const decode = (text: string) => Buffer.from(text.replaceAll('.', '+'), 'base64');
  return {
    async produce(password) {
      const salt = randomBytes(SALT_BYTES);
      const key = await pbkdf2Of(password, salt, iterations, size, algorithm);
      return `{${name}}${iterations}$${encode(salt)}$${encode(key)}`;
    },
    read(stored) {
      const [, count, salt, encoded] = pattern.exec(stored) ?? [];
      if (salt === undefined || encoded === undefined || !isSane(Number(count))) return null;
      return {
        key: decode(encoded),
        // As long as it should be: a key that was cut short is the beginning of the whole one, and would match.
        derive: (password) => pbkdf2Of(password, decode(salt), Number(count), size, algorithm),
      };
    },
  };
}

/** `pbkdf2_sha256$iterations$salt$key`: the salt is text. Django itself re-hashes at a login what it finds too cheap. */
function djangoPbkdf2(iterations: number): Encoding {
  const pattern = /^pbkdf2_sha256\$(\d+)\$([^$]+)\$([A-Za-z0-9+/]{43}=)$/;
  const derive = (password: Secret, salt: string, count: number) =>
    pbkdf2Of(password, Buffer.from(salt), count, 32, 'sha256');
  return {
    async produce(password) {
      const salt = randomBytes(SALT_BYTES).toString('hex');
      const key = await derive(password, salt, iterations);
      return `pbkdf2_sha256$${iterations}$${salt}$${key.toString('base64')}`;
    },
    read(stored) {
      const [, count, salt, encoded] = pattern.exec(stored) ?? [];
      if (salt === undefined || encoded === undefined || !isSane(Number(count))) return null;
      return {
        key: Buffer.from(encoded, 'base64'),
        derive: (password) => derive(password, salt, Number(count)),
      };
    },
  };
}

interface ScryptCost {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}

/** `$scrypt$ln=…,r=…,p=…$salt$key`, the PHC string that passlib writes, in base64 without padding. */
function phcScrypt(cost: ScryptCost): Encoding {
  const pattern =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
  const encode = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
  return {
    async produce(password) {
      const salt = randomBytes(SALT_BYTES);
      const key = await scryptOf(password, salt, SCRYPT_BYTES, cost);
      return `$scrypt$ln=${cost.log2N},r=${cost.r},p=${cost.p}$${encode(salt)}$${encode(key)}`;
    },
    read(stored) {
      const [, log2N, r, p, salt, encoded] = pattern.exec(stored) ?? [];
      if (salt === undefined || encoded === undefined) return null;
      const asked = { log2N: Number(log2N), r: Number(r), p: Number(p) };
      if (!isBearable(asked)) return null;
      const key = Buffer.from(encoded, 'base64');
      // One that was cut short is the beginning of the whole one, and would match.
      if (key.length < SCRYPT_BYTES) return null;
      return {
        key,
        derive: (password) => scryptOf(password, Buffer.from(salt, 'base64'), key.length, asked),
      };
    },
  };
}

const SCRYPT_BYTES = 32;

function isBearable({ log2N, r, p }: ScryptCost): boolean {
  const memory = 128 * 2 ** log2N * r;
  return log2N > 0 && r > 0 && p > 0 && memory <= MOST_MEMORY && memory * p <= 16 * MOST_MEMORY;
}

/** `scrypt` copies the password before it returns, too. */
function scryptOf(password: Secret, salt: Buffer, size: number, cost: ScryptCost): Promise<Buffer> {
  const options = { N: 2 ** cost.log2N, r: cost.r, p: cost.p, maxmem: 2 * MOST_MEMORY };
  return password.use(
    (bytes) =>
      new Promise((resolve, reject) =>
        scrypt(bytes, salt, size, options, (error, key) => (error ? reject(error) : resolve(key))),
      ),
  );
}

function scram(): Encoding {
  const pattern =
    /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/]{43}=):[A-Za-z0-9+/]{43}=$/;
  return {
    produce: scramVerifier,
    read(stored) {
      const [, count, salt, encoded] = pattern.exec(stored) ?? [];
      if (salt === undefined || encoded === undefined || !isSane(Number(count))) return null;
      return {
        key: Buffer.from(encoded, 'base64'),
        async derive(password) {
          const keys = await scramKeys(password, Buffer.from(salt, 'base64'), Number(count));
          keys.clientKey.fill(0);
          return keys.storedKey;
        },
      };
    },
  };
}

const isSane = (iterations: number): boolean => iterations > 0 && iterations <= MOST_ITERATIONS;
