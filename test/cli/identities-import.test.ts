import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readLdif } from '../../cli/people/ldif';
import { peopleOf } from '../../cli/people/rows';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { lockstepAt } from './run-cli';

describe('an LDIF file', () => {
  test('an entry may have folded lines, comments and values in base64', () => {
    const [first, second, none] = readLdif(
      `version: 1\r\n# people\r\n#  and a\r\n folded comment\r\ndn: uid=ann,ou=peop\r\n le,dc=x\r\ncn:: ${Buffer.from('Änn').toString('base64')}\r\nmail: one@x\r\nMail: two@x\r\n\r\n\r\ndn:: ${Buffer.from('uid=bö').toString('base64')}\r\njpegPhoto:: /9j/4AAQ\r\nsn:\r\n`,
    );
    expect([first?.line, first?.dn, none]).toEqual([5, 'uid=ann,ou=people,dc=x', undefined]);
    expect(Object.fromEntries(first?.attributes ?? [])).toEqual({
      cn: ['Änn'],
      mail: ['one@x', 'two@x'],
    });
    expect([second?.dn, second?.attributes.get('jpegphoto')]).toEqual(['uid=bö', []]);
  });

  test.each([
    ['a change record', 'dn: uid=a\nchangetype: delete', 'Line 2'],
    ['a URL', 'dn: uid=a\ncn:< file:///etc/passwd', 'Line 2'],
    ['a value that is not base64', 'dn: uid=a\ncn:: ä', 'Line 2'],
    ['text that is no attribute', 'dn: uid=a\nhello', 'Line 2'],
    ['an entry without a name', 'cn: a', 'Line 1'],
  ])('a file with %s is refused with the number of the line', (_what, text, where) => {
    expect(() => readLdif(text)).toThrow(where);
  });

  test('people of a file who contradict each other, or share an account, are conflicts', () => {
    const row = (line: number, name: string, mail: string, account: string) => ({
      ...{ line, name, attributes: { mail } },
      accounts: [{ source: 'crm', name: account }],
    });
    const { people, conflicts } = peopleOf([
      row(2, 'ann', 'a@x', 'ann'),
      row(3, 'ann', 'a@x', 'ann2'),
      row(4, 'bob', 'b@x', 'shared'),
      row(5, 'cleo', 'c@x', 'shared'),
      row(6, 'dan', 'd@x', 'dan'),
      row(7, 'dan', 'other@x', 'dan'),
    ]);
    expect(people).toMatchObject([{ name: 'ann', lines: [2, 3], accounts: [{}, {}] }]);
    expect(conflicts.map(({ name, lines }) => [name, lines])).toEqual([
      ['bob', [4]],
      ['cleo', [5]],
      ['dan', [6, 7]],
    ]);
  });
});

describeWith(['postgres'], 'lockstep identities import', () => {
  let api: TestApi;
  let dir: string;
  const run = lockstepAt(() => api);
  beforeAll(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'import-'));
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
  });
  afterAll(async () => {
    await api.stop();
    rmSync(dir, { recursive: true });
  });

  const importOf = (name: string, text: string, ...args: string[]) => {
    writeFileSync(path.join(dir, name), text);
    return run(['identities', 'import', path.join(dir, name), ...args]);
  };
  const person = async (name: string) => (await api.send('GET', `/v1/identities/${name}`)).body;

  test('a CSV file is previewed, imported with its conflicts reported, and changes nothing when it is imported again', async () => {
    const file = `name;mail;account:warehouse;note
eve;eve@x;eve;"with; a separator"
frank;frank@x;;
grace;;alice;
`;
    const preview = await importOf('people.csv', file, '--dry-run');
    expect([preview.code, preview.stdout]).toEqual([
      1,
      `Line 4: grace: the account alice in warehouse is linked to another person, alice.
Preview: 2 to add, 0 to update, 0 unchanged, 1 in conflict and left as they were.
`,
    ]);
    expect((await person('eve')).code).toBe('not_found');
    const imported = await importOf('people.csv', file, '--yes');
    expect([imported.code, imported.stdout]).toEqual([
      1,
      expect.stringContaining('\nImported: 2 added, 0 updated, 0 unchanged, 1 in conflict'),
    ]);
    expect(await person('eve')).toMatchObject({
      attributes: { mail: 'eve@x', note: 'with; a separator' },
      accounts: [{ source: 'warehouse', name: 'eve', linkedBy: 'operator' }],
    });
    const again = await importOf('people.csv', file, '--yes');
    expect(again.stdout).toContain('Imported: 0 added, 0 updated, 2 unchanged, 1 in conflict');
  });

  test('a name of a file cannot send commands to the terminal', async () => {
    const file = 'name,mail\n\u001b[2Jzoe,a@x\n\u001b[2Jzoe,b@x\n';
    const { stdout } = await importOf('escapes.csv', file, '--dry-run');
    expect(stdout).toContain('zoe');
    expect(stdout).not.toContain('\u001b');
  });

  test('an LDIF file links each entry to the person whom an attribute names, and keeps their other attributes', async () => {
    await api.send('PUT', '/v1/identities/heidi', { body: { attributes: { phone: '1' } } });
    const ldif = `dn: ou=people,dc=x\nou: people\n\ndn: uid=heidi,ou=people,dc=x\nuid: heidi\nmail: heidi@x\ncn: Heidi\n`;
    const options = ['--source', 'directory', '--attribute', 'mail', '--attribute', 'display=cn'];
    const { code, stdout } = await importOf('people.ldif', ldif, ...options, '--yes');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Imported: 0 added, 1 updated/)]);
    expect(await person('heidi')).toMatchObject({
      attributes: { phone: '1', mail: 'heidi@x', display: 'Heidi' },
      accounts: [{ source: 'directory', name: 'uid=heidi,ou=people,dc=x' }],
    });
  });

  test('a file that may hold passwords is refused whole, and no value of it is shown or sent', async () => {
    const secret = 'Hunter2-is-here';
    const csv = await importOf('secret.csv', `name,Passwort\nivan,${secret}\n`, '--yes');
    const ldif = await importOf(
      'secret.ldif',
      `dn: uid=ivan\nuid: ivan\nuserPassword;x-old:: ${Buffer.from(secret).toString('base64')}\n`,
      ...['--source', 'directory', '--yes'],
    );
    for (const { code, stdout, stderr } of [csv, ldif]) {
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('looks like a password');
      expect(stderr).not.toContain(secret);
    }
    expect((await person('ivan')).code).toBe('not_found');
  });

  test('a person whose name differs from a stored one only in case is a conflict, not a second person', async () => {
    const { code, stdout } = await importOf('case.csv', 'name,mail\nALICE,a@x\n', '--yes');
    expect([code, stdout]).toEqual([
      1,
      expect.stringContaining('ALICE: the name differs from that of alice only in case.'),
    ]);
  });
});
