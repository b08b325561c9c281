import { inspect } from 'node:util';
import { Secret } from '../../../model/passwords/secret';

const CANARY = 'Canary-secret-42';

describe('a Secret refuses to print', () => {
  const secret = Secret.fromText(CANARY);

  test.each<[string, () => unknown]>([
    ['String()', () => String(secret)],
    ['a template', () => `${secret}`],
    ['concatenation', () => `x${secret as unknown as string}`],
    ['JSON.stringify', () => JSON.stringify({ deep: [{ secret }] })],
    ['arithmetic', () => Number(secret)],
  ])('%s of a Secret throws, and the error does not hold the password', (_how, print) => {
    expect(print).toThrow(TypeError);
    expect(print).not.toThrow(CANARY);
  });

  test('inspect and console show a placeholder for a Secret', () => {
    expect(inspect({ secret }, { showHidden: true, depth: 9 })).not.toContain(CANARY);
    expect(inspect(secret)).toBe('[secret]');
  });

  test('the bytes of a Secret are not among its properties', () => {
    expect(Reflect.ownKeys(secret).map(String)).toEqual([]);
    expect({ ...secret }).toEqual({});
    expect(structuredCloneOf(secret)).not.toContain(CANARY);
  });
});

const structuredCloneOf = (value: unknown): string => inspect(structuredClone(value));

test('a destroyed Secret has zeroed its bytes and lends them no more', () => {
  const bytes = Buffer.from(CANARY);
  const secret = Secret.of(bytes);
  secret.destroy();
  expect(bytes.every((byte) => byte === 0)).toBe(true);
  expect(() => secret.text()).toThrow(TypeError);
});

test('a copy of a Secret outlives the original', () => {
  const secret = Secret.fromText(CANARY);
  const copy = secret.copy();
  secret.destroy();
  expect(copy.text()).toBe(CANARY);
});

test('two Secrets are equal when their bytes are equal', () => {
  expect(Secret.fromText('a').equals(Secret.fromText('a'))).toBe(true);
  expect(Secret.fromText('a').equals(Secret.fromText('b'))).toBe(false);
  expect(Secret.fromText('a').equals(Secret.fromText('aa'))).toBe(false);
});
