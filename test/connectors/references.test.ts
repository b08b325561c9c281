import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type * as References from '../../connectors/references';
import { isRoot } from '../../local/places';
import { setVariables } from '../support/variables';

describe('a reference to a secret', () => {
  const root = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'lockstep-references-')));
  const dir = path.join(root, 'secrets');
  const at = (name: string) => path.join(dir, name);
  const keys = path.join(dir, 'keys');
  let references: typeof References;
  let reset = () => {};

  const resolve = (reference: string, folder = dir, prefix = 'LOCKSTEP_SECRET_') =>
    references
      .openReferences({ LOCKSTEP_SECRETS_DIR: folder, LOCKSTEP_SECRETS_PREFIX: prefix })(reference)
      .text();
  const file = (name: string, folder?: string) => resolve(`\${file:${name}}`, folder);

  beforeAll(() => {
    mkdirSync(keys, { recursive: true });
    mkdirSync(at('inner'));
    writeFileSync(at('corp'), 'the password\n');
    writeFileSync(at('inner/crm'), 'another');
    writeFileSync(path.join(root, 'outside'), 'not to be read');
    writeFileSync(path.join(keys, 'signer.json'), 'the key of the signer');
    writeFileSync(at('admin-key'), 'the admin key');
    reset = setVariables({
      LOCKSTEP_KEY_DIR: keys,
      LOCKSTEP_ADMIN_KEY_FILE: at('admin-key'),
      DATABASE_URL: 'postgres://lockstep:secret@db',
      LOCKSTEP_SECRET_CORP: 'from a variable',
    });
    // The settings are read when the modules are loaded.
    jest.isolateModules(() => {
      references = require('../../connectors/references');
    });
  });
  afterAll(() => {
    reset();
    rmSync(root, { recursive: true });
  });

  test.each([
    ['corp', 'the password'],
    ['./corp', 'the password'],
    ['inner/../corp', 'the password'],
    ['inner/crm', 'another'],
  ])('to a file of the folder gives its content: %s', (name, content) => {
    expect(file(name)).toBe(content);
    expect(file(path.join(dir, name))).toBe(content);
  });

  test('to a mounted secret of Kubernetes follows the links inside the folder', () => {
    mkdirSync(at('..2026_1'));
    writeFileSync(at('..2026_1/token'), 'first');
    symlinkSync('..2026_1', at('..data'));
    symlinkSync('..data/token', at('token'));
    expect(file('token')).toBe('first');
    mkdirSync(at('..2026_2'));
    writeFileSync(at('..2026_2/token'), 'second');
    symlinkSync('..2026_2', at('..next'));
    renameSync(at('..next'), at('..data'));
    expect(file('token')).toBe('second');
  });

  test.each([
    ...['/etc/passwd', '/etc/shadow', '/proc/self/environ', '/dev/zero', '/etc/no-such-file'],
    ...[
      '../outside',
      'inner/../../outside',
      '..',
      '.',
      '/',
      'corp\0',
      `${'../'.repeat(30)}etc/passwd`,
    ],
  ])('to a file outside the folder is refused before the file is looked at: %j', (name) => {
    expect(() => file(name)).toThrow(
      `${JSON.stringify(name)} is not in ${dir}. Put the file there, or set LOCKSTEP_SECRETS_DIR to its folder.`,
    );
  });

  test('to a folder whose name begins like that of the folder is refused', () => {
    mkdirSync(`${dir}-of-another`);
    writeFileSync(`${dir}-of-another/corp`, 'not to be read');
    expect(() => file(`${dir}-of-another/corp`)).toThrow('is not in');
  });

  test.each([
    ['a link to a file', '../outside', 'leads out of'],
    ['a link to a file of the system', '/etc/passwd', 'leads out of'],
    ['a link to the environment of the process', '/proc/self/environ', 'leads out of'],
    ['a link to a device', '/dev/zero', 'leads out of'],
    ['a link to a key of Lockstep', 'keys/signer.json', 'is a file of Lockstep itself'],
    ['a link to itself', 'link', 'ELOOP'],
    ['a link to nothing', 'nowhere', 'does not exist'],
    ['a link out and in again', `../secrets/../outside`, 'leads out of'],
  ])('that leads elsewhere by %s is refused', (_what, target, says) => {
    symlinkSync(target, at('link'));
    try {
      expect(() => file('link')).toThrow(says);
    } finally {
      rmSync(at('link'));
    }
  });

  test('whose folder is a link to another one inside may not leave by it', () => {
    symlinkSync('..', at('up'));
    expect(() => file('up/outside')).toThrow('leads out of');
    expect(file('up/secrets/corp')).toBe('the password');
    rmSync(at('up'));
  });

  test.each(['keys/signer.json', 'admin-key'])('to a key of Lockstep is refused: %s', (name) => {
    expect(() => file(name)).toThrow('is a file of Lockstep itself');
  });

  test.each([
    ['a folder', () => mkdirSync(at('odd')), 'is not a regular file'],
    ['a pipe', () => execFileSync('mkfifo', [at('odd')]), 'is not a regular file'],
    ['a huge file', () => hugeFile(), 'is larger than 65536 bytes'],
    ['nothing', () => {}, 'does not exist. Create it'],
  ])('to %s is refused at once', (_what, make, says) => {
    make();
    try {
      expect(() => file('odd')).toThrow(says);
    } finally {
      rmSync(at('odd'), { recursive: true, force: true });
    }
  });
  const hugeFile = () => {
    writeFileSync(at('odd'), '');
    truncateSync(at('odd'), 2 ** 40);
  };

  (isRoot ? test.skip : test)(
    'to a file that the worker may not read is refused (not as root)',
    () => {
      writeFileSync(at('closed'), 'x');
      chmodSync(at('closed'), 0);
      expect(() => file('closed')).toThrow('cannot be read by this process (EACCES)');
    },
  );

  test.each(['/', '/etc', '/proc', '/proc/self', '/sys', '/dev'])(
    'is refused when the folder of the secrets is one of the system: %s',
    (folder) => {
      expect(() => file(path.join(folder, 'hostname'), folder)).toThrow(
        'is a folder of the system',
      );
    },
  );

  test('is refused when a link makes the folder of the secrets one of the system', () => {
    symlinkSync('/proc/self', path.join(root, 'self'));
    expect(() => file('environ', path.join(root, 'self'))).toThrow('is a folder of the system');
  });

  test('is refused with what to do when the folder does not exist', () => {
    expect(() => file('corp', '/nowhere')).toThrow(
      'The folder /nowhere does not exist. Create it, or set LOCKSTEP_SECRETS_DIR.',
    );
  });

  test('to a variable with the prefix gives its value', () => {
    expect(resolve('${env:LOCKSTEP_SECRET_CORP}')).toBe('from a variable');
  });

  test.each([
    'DATABASE_URL',
    'LOCKSTEP_KEY_DIR',
    'PATH',
    'HOME',
    'LOCKSTEP_SECRETS_DIR',
    'LOCKSTEP_SECRET',
  ])('to a variable without the prefix is refused: %s', (name) => {
    expect(() => resolve(`\${env:${name}}`)).toThrow('Use one that begins with LOCKSTEP_SECRET_');
    expect(() => resolve(`\${env:${name}}`, dir, 'HUB_')).toThrow('begins with HUB_');
  });

  test('to a variable of Lockstep itself is refused whatever the prefix', () => {
    expect(() => resolve('${env:DATABASE_URL}', dir, 'DATABASE_')).toThrow('is not a variable');
  });

  test('to a variable that is not set is refused with its name', () => {
    expect(() => resolve('${env:LOCKSTEP_SECRET_GONE}')).toThrow('LOCKSTEP_SECRET_GONE is not set');
  });

  test('in the settings of a relay may name any regular file, because its user wrote them', () => {
    linkSync(path.join(root, 'outside'), path.join(root, 'hard'));
    expect(references.resolveLocally(`\${file:${root}/outside}`).text()).toBe('not to be read');
    expect(() => references.resolveLocally('${file:/dev/zero}')).toThrow('is a file of the system');
  });

  test.each(['LOCKSTEP_', 'DATABASE_', 'TEMPORAL_', 'lower_', 'NO'])(
    'cannot be opened up by the prefix %s: Lockstep does not start',
    (prefix) => {
      const undo = setVariables({ LOCKSTEP_SECRETS_PREFIX: prefix });
      try {
        jest.isolateModules(() => {
          expect(() => require('../../config')).toThrow('LOCKSTEP_SECRETS_PREFIX');
        });
      } finally {
        undo();
      }
    },
  );
});
