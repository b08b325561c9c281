import { chownSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { connectionOf } from '../../cli/http/connection';
import { isRoot, NOBODY } from '../../local/places';

const KEY = `lks_${'0'.repeat(26)}_${'a'.repeat(43)}`;
const OTHER_KEY = `lks_${'1'.repeat(26)}_${'b'.repeat(43)}`;
const LOCAL_URL = 'http://127.0.0.1:4711';

const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-cli-'));
const nowhere = mkdtempSync(path.join(os.tmpdir(), 'lockstep-cli-'));
const below = path.join(dir, 'deep', 'down');
const keyFile = path.join(dir, 'other-key');

beforeAll(() => {
  mkdirSync(path.join(dir, '.lockstep'));
  mkdirSync(below, { recursive: true });
  const local = { url: LOCAL_URL, keyFile: '.lockstep/admin-key' };
  writeFileSync(path.join(dir, '.lockstep', 'cli.json'), JSON.stringify(local));
  writeFileSync(path.join(dir, '.lockstep', 'admin-key'), `${KEY}\n`);
  writeFileSync(keyFile, OTHER_KEY);
});

const connection = (...args: Parameters<typeof connectionOf>) => {
  const { url, apiKey } = connectionOf(...args);
  return [url.origin, apiKey];
};

test('the command line uses the API and key of "lockstep up" in the current folder or a parent of it', () => {
  expect(connection({}, {}, [below])).toEqual([LOCAL_URL, KEY]);
});

test('the command line finds the server of its own clone from every folder', () => {
  expect(connection({}, {}, [nowhere, below])).toEqual([LOCAL_URL, KEY]);
});

test('options take precedence over the environment, and the environment over the file of "lockstep up"', () => {
  const variables = { LOCKSTEP_URL: 'https://a.example', LOCKSTEP_API_KEY_FILE: keyFile };
  expect(connection({}, variables, [below])).toEqual(['https://a.example', OTHER_KEY]);
  const options = { url: 'https://b.example', keyFile: path.join(dir, '.lockstep/admin-key') };
  expect(connection(options, variables, [below])).toEqual(['https://b.example', KEY]);
  const withKey = { LOCKSTEP_API_KEY: OTHER_KEY };
  expect(connection({}, withKey, [below])).toEqual([LOCAL_URL, OTHER_KEY]);
});

test('the key of the local API is not sent to another API', () => {
  expect(() => connectionOf({ url: 'https://b.example' }, {}, [below])).toThrow(/No API key for/);
  expect(() => connectionOf({}, {}, [nowhere])).toThrow('No API key for http://127.0.0.1:8080');
});

test.each(['http://lockstep.example.com', 'http://10.0.0.1', 'http://127.0.0.1.example.com'])(
  'the command line refuses http to another machine: %s',
  (url) => {
    expect(() => connectionOf({ url, keyFile }, {}, [nowhere])).toThrow(/Use https/);
  },
);

test.each(['http://localhost:1', 'http://127.0.0.2', 'http://[::1]:8080', 'https://example.com'])(
  'the command line accepts the address %s',
  (url) => {
    expect(connection({ url, keyFile }, {}, [nowhere])[1]).toBe(OTHER_KEY);
  },
);

test.each(['lockstep.example.com', 'ftp://example.com', 'https://me:canary@example.com'])(
  'the command line refuses an address that is not valid or contains a password, without quoting it: %s',
  (url) => {
    const connecting = () => connectionOf({ url, keyFile }, {}, [nowhere]);
    expect(connecting).toThrow(/must look like/);
    expect(connecting).not.toThrow(/canary/);
  },
);

test('the command line refuses a malformed API key without quoting it', () => {
  for (const key of ['canary', `${KEY}\r\nx-canary: 1`, ''])
    try {
      connectionOf({}, { LOCKSTEP_API_KEY: key }, [nowhere]);
      throw new Error('the key was accepted');
    } catch (error) {
      expect(String(error)).toBe(
        'Error: LOCKSTEP_API_KEY does not hold an API key, which begins with lks_. "lockstep keys create" creates one.',
      );
    }
  expect(() => connectionOf({ keyFile: '/nowhere' }, {}, [nowhere])).toThrow(/cannot be read/);
});

test('the command line reports a damaged file of "lockstep up" instead of ignoring it', () => {
  const broken = mkdtempSync(path.join(os.tmpdir(), 'lockstep-cli-'));
  mkdirSync(path.join(broken, '.lockstep'));
  writeFileSync(path.join(broken, '.lockstep', 'cli.json'), '{"url": 1}');
  expect(() => connectionOf({}, {}, [broken])).toThrow(/does not hold what "lockstep up" writes/);
});

(isRoot ? test : test.skip)(
  'the command line refuses a connection file that belongs to another user (skipped unless root)',
  () => {
    const shared = mkdtempSync(path.join(os.tmpdir(), 'lockstep-cli-'));
    mkdirSync(path.join(shared, '.lockstep'));
    const file = path.join(shared, '.lockstep', 'cli.json');
    writeFileSync(file, JSON.stringify({ url: LOCAL_URL, keyFile }));
    expect(connection({}, {}, [shared])).toEqual([LOCAL_URL, OTHER_KEY]);
    chownSync(file, NOBODY.uid, NOBODY.gid);
    expect(() => connectionOf({}, {}, [shared])).toThrow(/belongs to another user/);
  },
);
