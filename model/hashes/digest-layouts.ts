import {
  type Digest,
  type DoubleSha1,
  fromBareBase64,
  fromBase64,
  type Layout,
  type Pbkdf2,
  type Plain,
  type Scram,
  toBareBase64,
} from './layout';

/**
 * The schemes that apply a digest once or many times: those of directories, SQL servers and Django. No system would
 * spend more iterations on a login than this; a hash that asks for more can only be meant to keep Lockstep busy.
 */
const MOST_ITERATIONS = 10_000_000;

const isSane = (iterations: number): boolean => iterations > 0 && iterations <= MOST_ITERATIONS;

const NOTHING = Buffer.alloc(0);
const asDrawn = (drawn: Buffer): Buffer => drawn;

const SIZES: Readonly<Record<Digest, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

/** The text after the prefix, which may be in any case; null when the text does not begin with it, or ends there. */
function after(prefix: string, text: string): string | null {
  const begins = text.slice(0, prefix.length).toUpperCase() === prefix;
  return begins && text.length > prefix.length ? text.slice(prefix.length) : null;
}

/** A salted digest of RFC 2307: digest and salt in one base64 text, as in OpenLDAP (SHA-2 in its pw-sha2 module). */
export function saltedDigest(name: string, digest: Digest): Layout<Plain> {
  const size = SIZES[digest];
  const recipe = { algorithm: 'digest', digest } as const;
  return {
    looks: `${name}…`,
    recipe,
    salt: asDrawn,
    read(text) {
      const both = fromBase64(after(name, text) ?? '?');
      if (both === null || both.length <= size || both.length > size + 64) return null;
      return { recipe, key: both.subarray(0, size), salt: both.subarray(size) };
    },
    write: ({ key, salt }) => `${name}${Buffer.concat([key, salt]).toString('base64')}`,
  };
}

const NO_SALT = 'it has no salt, so one guess tests the passwords of all people';

/** The unsalted SHA-1 digest of RFC 2307. */
export function bareDigest(): Layout<Plain> {
  const recipe = { algorithm: 'digest', digest: 'sha1' } as const;
  return {
    looks: '{SHA}…',
    weak: NO_SALT,
    recipe,
    salt: () => NOTHING,
    read(text) {
      const key = fromBase64(after('{SHA}', text) ?? '?');
      return key?.length === SIZES.sha1 ? { recipe, key, salt: NOTHING } : null;
    },
    write: ({ key }) => `{SHA}${key.toString('base64')}`,
  };
}

/** The hash of `PASSWORD()` in MySQL and MariaDB, which `mysql_native_password` stores. */
export function mysqlNative(): Layout<DoubleSha1> {
  const recipe = { algorithm: 'double-sha1' } as const;
  return {
    looks: '*…',
    weak: NO_SALT,
    recipe,
    salt: () => NOTHING,
    read(text) {
      const [, hex] = /^\*([0-9A-F]{40})$/i.exec(text) ?? [];
      return hex === undefined ? null : { recipe, key: Buffer.from(hex, 'hex'), salt: NOTHING };
    },
    write: ({ key }) => `*${key.toString('hex').toUpperCase()}`,
  };
}

/**
 * `iterations$salt$key` in adapted base64 (`.` for `+`, no padding), as in the pw-pbkdf2 module of OpenLDAP. 389
 * Directory Server reads that and writes plain base64; both are read here.
 */
export function ldapPbkdf2(
  name: string,
  digest: Digest,
  iterations: number,
  alias = name,
): Layout<Pbkdf2> {
  const pattern = /^(\d{1,8})\$([A-Za-z0-9+./]{2,96})={0,2}\$([A-Za-z0-9+./]{2,96})={0,2}$/;
  const encode = (bytes: Buffer) => toBareBase64(bytes).replaceAll('+', '.');
  const decode = (text: string) => fromBareBase64(text.replaceAll('.', '+'));
  return {
    looks: `${name}…`,
    recipe: { algorithm: 'pbkdf2', digest, iterations },
    salt: asDrawn,
    read(text) {
      const [, count, first = '', second = ''] =
        pattern.exec(after(name, text) ?? after(alias, text) ?? '') ?? [];
      const [salt, key] = [decode(first), decode(second)];
      // A truncated key is the beginning of the whole key, and would match.
      if (!isSane(Number(count)) || salt === null || key?.length !== SIZES[digest]) return null;
      return { recipe: { algorithm: 'pbkdf2', digest, iterations: Number(count) }, salt, key };
    },
    write: ({ recipe, salt, key }) => `${name}${recipe.iterations}$${encode(salt)}$${encode(key)}`,
  };
}

/**
 * `pbkdf2_sha256$iterations$salt$key`, where the salt is text. Django itself upgrades a hash with few iterations at
 * login.
 */
export function djangoPbkdf2(iterations: number): Layout<Pbkdf2> {
  const pattern = /^pbkdf2_sha256\$(\d{1,8})\$([\x21-\x23\x25-\x7e]{1,128})\$([A-Za-z0-9+/]{43}=)$/;
  const recipe = { algorithm: 'pbkdf2', digest: 'sha256' } as const;
  return {
    looks: 'pbkdf2_sha256$…',
    recipe: { ...recipe, iterations },
    salt: (drawn) => Buffer.from(drawn.toString('hex')),
    read(text) {
      const [, count, salt = '', encoded = '?'] = pattern.exec(text) ?? [];
      const key = fromBase64(encoded);
      if (key === null || !isSane(Number(count))) return null;
      return { recipe: { ...recipe, iterations: Number(count) }, key, salt: Buffer.from(salt) };
    },
    write: ({ recipe: { iterations: count }, salt, key }) =>
      `pbkdf2_sha256$${count}$${salt.toString('latin1')}$${key.toString('base64')}`,
  };
}

/** The default of PostgreSQL (`scram_iterations`). */
const SCRAM_ITERATIONS = 4096;

/**
 * `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`, the form that PostgreSQL stores and accepts in place of a password.
 */
export function scram(): Layout<Scram> {
  const pattern =
    /^SCRAM-SHA-256\$(\d{1,8}):([A-Za-z0-9+/]{4,96}={0,2})\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)$/;
  return {
    looks: 'SCRAM-SHA-256$…',
    recipe: { algorithm: 'scram', iterations: SCRAM_ITERATIONS },
    salt: asDrawn,
    read(text) {
      const [, count, ...encoded] = pattern.exec(text) ?? [];
      const [salt, stored, server] = encoded.map(fromBase64);
      if (!salt || !stored || !server || !isSane(Number(count))) return null;
      const key = Buffer.concat([stored, server]);
      return { recipe: { algorithm: 'scram', iterations: Number(count) }, salt, key };
    },
    write({ recipe, salt, key }) {
      const [s, stored, server] = [salt, key.subarray(0, 32), key.subarray(32)].map((bytes) =>
        bytes.toString('base64'),
      );
      return `SCRAM-SHA-256$${recipe.iterations}:${s}$${stored}:${server}`;
    },
  };
}
