import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { firstCapable, NoneCapable } from '../../local/candidates';
import { mariadbFlaw, mariadbProgram } from '../../local/mariadb';
import { postgresBinaries, postgresFlaw } from '../../local/postgres-binaries';
import { sambaFlaw } from '../../local/samba';
import { findSlapd, slapdFlaw } from '../../local/slapd-program';
import { describeWith, server } from '../support/servers';

const silent = () => {};
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep candidates-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** A program that prints this and ends. */
function printer(name: string, text: string): string {
  const file = path.join(dir, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\ncat >&2 <<'TEXT'\n${text}\nTEXT\n`);
  chmodSync(file, 0o755);
  return file;
}

describe('firstCapable', () => {
  const flawOf = async (name: string) => (name === 'good' ? null : 'lacks a part');
  const source = (...names: string[]) => jest.fn(async () => names);
  const choose = (sources: ReturnType<typeof source>[], report = silent) =>
    firstCapable(sources, (name) => name, flawOf, report);

  test('an installed program that lacks something is reported, and the next source is asked', async () => {
    const report = jest.fn();
    expect(await choose([source('bad'), source('good')], report)).toBe('good');
    expect(report.mock.calls).toEqual([['not used: bad lacks a part']]);
  });

  test('nothing is fetched when an installed program has everything', async () => {
    const fetching = source('good');
    expect(await choose([source('good'), fetching])).toBe('good');
    expect(fetching).not.toHaveBeenCalled();
  });

  test('when every program lacks something, the error names what each one lacks', async () => {
    const failing = jest.fn(async (): Promise<string[]> => {
      throw new Error('no network');
    });
    const error: NoneCapable = await choose([source('bad', 'worse'), failing]).catch(
      (caught) => caught,
    );
    expect(error).toBeInstanceOf(NoneCapable);
    expect(error.reasons).toEqual(['bad lacks a part', 'worse lacks a part', 'no network']);
  });
});

describeWith(['slapd'], 'slapd', () => {
  const wanted = ['back_mdb', 'ppolicy', 'pw-sha2', 'pw-pbkdf2', 'argon2'];

  test('it is used when it has every module', async () => {
    expect(await slapdFlaw(await findSlapd(silent, wanted), wanted)).toBeNull();
  });

  test('it is not used without a module that is wanted, and the reason names the module', async () => {
    const whole = await findSlapd(silent, wanted);
    const moduleDir = path.join(dir, 'modules');
    cpSync(whole.moduleDir, moduleDir, { recursive: true });
    rmSync(path.join(moduleDir, 'pw-pbkdf2.so'));
    expect(await slapdFlaw({ ...whole, moduleDir }, wanted)).toBe('lacks pw-pbkdf2.so');
    expect(await slapdFlaw({ ...whole, moduleDir }, ['back_mdb'])).toBeNull();
  });

  test('it is not used with a module that it cannot load, and the reason is that of slapd', async () => {
    const whole = await findSlapd(silent, wanted);
    const moduleDir = path.join(dir, 'broken-modules');
    cpSync(whole.moduleDir, moduleDir, { recursive: true });
    rmSync(path.join(moduleDir, 'argon2.so'));
    writeFileSync(path.join(moduleDir, 'argon2.so'), 'not a library');
    expect(await slapdFlaw({ ...whole, moduleDir }, wanted)).toMatch(/cannot load .*argon2/);
  });

  test('a module that is built into it needs no file', async () => {
    const whole = await findSlapd(silent);
    const slapd = printer(
      'slapd',
      '@(#) $OpenLDAP: slapd 2.6.7 $\n\nIncluded static overlays:\n    ppolicy\n\nIncluded static backends:\n    config\n    mdb\n',
    );
    const program = { ...whole, slapd, moduleDir: path.join(dir, 'no-modules') };
    expect(await slapdFlaw(program, ['back_mdb', 'ppolicy'])).toBeNull();
    expect(await slapdFlaw(program, ['back_mdb', 'argon2'])).toBe('lacks argon2.so');
  });

  test('one older than 2.5 is not used', async () => {
    const slapd = printer('old-slapd', '@(#) $OpenLDAP: slapd 2.4.59 $');
    expect(await slapdFlaw({ ...(await findSlapd(silent)), slapd }, wanted)).toBe(
      'is slapd 2.4, older than 2.5',
    );
  });

  test('no slapd with a module that does not exist: the error names it and what to install', async () => {
    const error = await findSlapd(silent, ['pw-none']).catch((caught: Error) => caught);
    expect(String(error)).toMatch(/No slapd with the modules .*pw-none[\s\S]*lacks pw-none\.so/);
  });
});

describe('PostgreSQL', () => {
  test('it is not used without an extension that is wanted, and the reason names the extension', async () => {
    const binaries = await postgresBinaries(silent, { major: null, extensions: ['dblink'] });
    expect(await postgresFlaw(binaries, { major: null, extensions: ['dblink'] })).toBeNull();
    expect(await postgresFlaw(binaries, { major: null, extensions: ['none'] })).toBe(
      'lacks extension/none.control',
    );
  });

  test('a folder with the programs of a client alone is not used', async () => {
    const binDir = path.join(dir, 'client');
    mkdirSync(binDir);
    const { binDir: whole } = await postgresBinaries(silent, { major: null });
    symlinkSync(path.join(whole, 'initdb'), path.join(binDir, 'initdb'));
    expect(await postgresFlaw({ binDir, libraryPath: null }, { major: null })).toBe(
      'lacks postgres',
    );
  });
});

describeWith(['mariadb'], 'MariaDB', () => {
  test('one without the tables of a new data folder, or an older one, or a MySQL, is not used', async () => {
    const whole = await mariadbProgram(silent);
    expect(await mariadbFlaw(whole)).toBeNull();
    expect(await mariadbFlaw({ ...whole, shareDir: dir })).toMatch(/^lacks .*system_tables\.sql$/);
    const old = versionPrinter('mariadbd-old', 'mariadbd  Ver 10.3.39-MariaDB for Linux');
    expect(await mariadbFlaw({ ...whole, command: old })).toBe('is 10.3, older than 10.4');
    const other = versionPrinter('mysqld', 'mysqld  Ver 8.0.36 for Linux');
    expect(await mariadbFlaw({ ...whole, command: other })).toBe('does not run, or is no MariaDB');
  });

  function versionPrinter(name: string, text: string): string {
    const file = path.join(dir, name);
    writeFileSync(file, `#!/bin/sh\necho '${text}'\n`);
    chmodSync(file, 0o755);
    return file;
  }
});

describeWith(['samba'], 'Samba', () => {
  test('one without the domain controller, or without a Python module, is incomplete', async () => {
    expect(server('samba').port).toBe('636');
    expect(await sambaFlaw()).toBeNull();
    expect(await sambaFlaw(['/usr/sbin/no-samba'])).toBe('lacks /usr/sbin/no-samba');
    expect(await sambaFlaw([], ['samba_none'])).toBe('lacks the Python module samba_none');
  });
});
