import path from 'node:path';
import { type Environment, isOwnVariable, Misconfigured, passedOn } from '../config';
import { readInside, readRegular } from '../guarded-file';
import { secretReference } from '../model/configuration/document';
import { Secret } from '../model/passwords/secret';

/**
 * Reads the secret that a reference such as `${file:corp}` or `${env:NAME}` names. It is read again at each call, so
 * that a rotated secret is used at once. The caller destroys it.
 * @throws Misconfigured when it cannot be read; the message says what to do and does not contain the secret
 */
export type ResolveReference = (reference: string) => Secret;

/** Where the operator of a worker keeps the secrets of its sources. */
export type SecretPlaces = Pick<Environment, 'LOCKSTEP_SECRETS_DIR' | 'LOCKSTEP_SECRETS_PREFIX'>;

/**
 * The references of the configuration, which an API key can change: they are limited to the places that the operator of
 * the worker has set.
 */
export const openReferences =
  ({
    LOCKSTEP_SECRETS_DIR: dir,
    LOCKSTEP_SECRETS_PREFIX: prefix,
  }: SecretPlaces): ResolveReference =>
  (reference) => {
    const { kind, name } = parsed(reference);
    if (kind === 'file')
      return secretIn(readInside({ dir, variable: 'LOCKSTEP_SECRETS_DIR' }, name, MAX_BYTES), name);
    if (!name.startsWith(prefix) || isOwnVariable(name))
      throw new Misconfigured(
        `${name} is not a variable for secrets. Use one that begins with ${prefix}, or set LOCKSTEP_SECRETS_PREFIX.`,
      );
    return variable(name);
  };

/**
 * Resolves a reference in a file that the user of this process wrote, such as the settings of a relay. It may name any
 * file and variable of the machine.
 */
export const resolveLocally: ResolveReference = (reference) => {
  const { kind, name } = parsed(reference);
  return kind === 'file'
    ? secretIn(readRegular(path.resolve(name), MAX_BYTES), name)
    : variable(name);
};

/** The largest secret is a private key of a few KiB. */
const MAX_BYTES = 64 * 1024;

function parsed(reference: string): { readonly kind: string; readonly name: string } {
  const [, kind, name] = secretReference.exec(reference) ?? [];
  if (kind === undefined || name === undefined)
    throw new Misconfigured('A secret must be given as a reference: ${file:…} or ${env:…}.');
  return { kind, name };
}

function variable(name: string): Secret {
  const value = passedOn([name])[name];
  if (value === undefined)
    throw new Misconfigured(
      `The environment variable ${name} is not set. Set it, or correct the reference.`,
    );
  return Secret.fromText(value);
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * The content of a file, which is zeroed, without one line end at the end, which editors add.
 * @throws Misconfigured when the file begins with a byte order mark, which would be a part of the secret
 */
function secretIn(content: Buffer, name: string): Secret {
  if (content.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) {
    content.fill(0);
    throw new Misconfigured(
      `The file ${name} begins with a byte order mark (BOM), which is no part of the secret. Save it as UTF-8 without BOM.`,
    );
  }
  const end = content.at(-1) === 0x0a ? (content.at(-2) === 0x0d ? -2 : -1) : content.length;
  const secret = Secret.of(Buffer.from(content.subarray(0, end)));
  content.fill(0);
  return secret;
}
