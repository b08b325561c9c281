import {
  type Argon2,
  type Bcrypt,
  fromBareBase64,
  type Layout,
  type Scrypt,
  type ShaCrypt,
  toBareBase64,
  unprefixed,
} from './layout';

/**
 * The schemes of crypt(3) and their relatives. The limits below are upper bounds on the work of one verification: no
 * system would spend more on a login, so a hash that asks for more can only be meant to keep Lockstep busy.
 */
const MOST_ROUNDS = 1_000_000;
const MOST_COST = 16;
const MOST_MEMORY_KIB = 256 * 1024;
/** Upper bound for memory (KiB) times passes. */
const MOST_WORK_KIB = 8 * MOST_MEMORY_KIB;

/** The prefix of crypt(3) hashes in a directory (RFC 2307). */
const CRYPT = '{CRYPT}';

const DEFAULT_ROUNDS = 5_000;

/**
 * `$6$rounds=…$salt$key` of U. Drepper, "Unix crypt using SHA-256 and SHA-512". Salt and key are text. OWASP gives no
 * number of rounds; those here take a server about as long as the other hashes.
 */
export function shaCrypt(id: string, digest: 'sha256' | 'sha512', size: number): Layout<ShaCrypt> {
  const pattern = new RegExp(
    `^\\$${id}\\$(?:rounds=(\\d{4,7})\\$)?([A-Za-z0-9./]{1,16})\\$([A-Za-z0-9./]{${size}})$`,
  );
  return {
    looks: `$${id}$…`,
    prefix: CRYPT,
    recipe: { algorithm: 'sha-crypt', digest, rounds: 100_000 },
    salt: (drawn) => Buffer.from(drawn.subarray(0, 12).toString('base64').replaceAll('+', '.')),
    read(text) {
      const [, count = DEFAULT_ROUNDS, salt, key] = pattern.exec(unprefixed(text, CRYPT)) ?? [];
      const rounds = Number(count);
      if (salt === undefined || key === undefined || rounds < 1_000 || rounds > MOST_ROUNDS)
        return null;
      const recipe = { algorithm: 'sha-crypt', digest, rounds } as const;
      return { recipe, salt: Buffer.from(salt), key: Buffer.from(key) };
    },
    write({ recipe, salt, key }) {
      const rounds = recipe.rounds === DEFAULT_ROUNDS ? '' : `rounds=${recipe.rounds}$`;
      return `$${id}$${rounds}${salt.toString('latin1')}$${key.toString('latin1')}`;
    },
  };
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BCRYPT64 = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

const translated = (text: string, from: string, to: string): string =>
  text.replace(/./g, (letter) => to[from.indexOf(letter)] ?? '');

/** `$2b$12$`, followed by 22 letters of salt and 31 letters of key. */
export function bcrypt(): Layout<Bcrypt> {
  const pattern = /^\$2([aby])\$(\d\d)\$([A-Za-z0-9./]{22})([A-Za-z0-9./]{31})$/;
  const decode = (text: string) => Buffer.from(translated(text, BCRYPT64, BASE64), 'base64');
  const encode = (bytes: Buffer) => translated(toBareBase64(bytes), BASE64, BCRYPT64);
  return {
    looks: '$2b$…',
    prefix: CRYPT,
    recipe: { algorithm: 'bcrypt', revision: 'b', cost: 12 },
    salt: (drawn) => drawn,
    read(text) {
      const [, revision = '', digits, salt = '', key = ''] =
        pattern.exec(unprefixed(text, CRYPT, '{BCRYPT}')) ?? [];
      const cost = Number(digits);
      if (!(cost >= 4 && cost <= MOST_COST)) return null;
      const recipe = { algorithm: 'bcrypt', revision, cost } as const;
      return { recipe, salt: decode(salt), key: decode(key) };
    },
    write: ({ recipe: { revision, cost }, salt, key }) =>
      `$2${revision}$${String(cost).padStart(2, '0')}$${encode(salt)}${encode(key)}`,
  };
}

const KEY_BYTES = 32;

/** `$scrypt$ln=…,r=…,p=…$salt$key`, the PHC string of passlib, in base64 without padding. */
export function scrypt(): Layout<Scrypt> {
  const pattern =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{2,96})\$([A-Za-z0-9+/]{2,96})$/;
  return {
    looks: '$scrypt$…',
    recipe: { algorithm: 'scrypt', log2N: 14, r: 8, p: 5 },
    salt: (drawn) => drawn,
    read(text) {
      const [, log2N, r, p, first = '', second = ''] = pattern.exec(text) ?? [];
      const recipe = {
        algorithm: 'scrypt',
        log2N: Number(log2N),
        r: Number(r),
        p: Number(p),
      } as const;
      const [salt, key] = [fromBareBase64(first), fromBareBase64(second)];
      // A truncated key is the beginning of the whole key, and would match.
      if (!isBearable(recipe) || salt === null || key === null || key.length < KEY_BYTES)
        return null;
      return { recipe, salt, key };
    },
    write: ({ recipe: { log2N, r, p }, salt, key }) =>
      `$scrypt$ln=${log2N},r=${r},p=${p}$${toBareBase64(salt)}$${toBareBase64(key)}`,
  };
}

function isBearable({ log2N, r, p }: Scrypt): boolean {
  const memoryKib = (2 ** log2N * r) / 8;
  const work = memoryKib * p;
  return log2N > 0 && r > 0 && p > 0 && memoryKib <= MOST_MEMORY_KIB && work <= MOST_WORK_KIB;
}

const ARGON2 = '{ARGON2}';

/** `$argon2id$v=19$m=…,t=…,p=…$salt$key` (RFC 9106), in base64 without padding. */
export function argon2(): Layout<Argon2> {
  const pattern =
    /^\$(argon2[a-z]+)\$v=19\$m=(\d{1,7}),t=(\d{1,4}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,96})\$([A-Za-z0-9+/]{16,96})$/;
  return {
    looks: '$argon2id$…',
    prefix: ARGON2,
    recipe: { algorithm: 'argon2', variant: 'argon2id', memoryKib: 19_456, passes: 2, lanes: 1 },
    salt: (drawn) => drawn,
    read(text) {
      const [, variant = '', m, t, p, first = '', second = ''] =
        pattern.exec(unprefixed(text, ARGON2)) ?? [];
      const [memoryKib, passes, lanes] = [Number(m), Number(t), Number(p)];
      const [salt, key] = [fromBareBase64(first), fromBareBase64(second)];
      const possible = passes > 0 && lanes > 0 && memoryKib >= 8 * lanes;
      const bearable = memoryKib <= MOST_MEMORY_KIB && memoryKib * passes <= MOST_WORK_KIB;
      if (!isVariant(variant) || !possible || !bearable || salt === null || key === null)
        return null;
      return { recipe: { algorithm: 'argon2', variant, memoryKib, passes, lanes }, salt, key };
    },
    write: ({ recipe: { variant, memoryKib, passes, lanes }, salt, key }) =>
      `$${variant}$v=19$m=${memoryKib},t=${passes},p=${lanes}$${toBareBase64(salt)}$${toBareBase64(key)}`,
  };
}

const isVariant = (name: string): name is Argon2['variant'] =>
  ['argon2i', 'argon2d', 'argon2id'].includes(name);
