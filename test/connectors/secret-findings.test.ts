import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { openConnectors } from '../../connectors/open';
import type { SourceConfiguration } from '../../model/configuration/document';
import { describeWith, server } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { openFolder } from '../support/shims';

describeWith(['slapd'], 'the secret of a source', () => {
  const folder = openFolder();
  const connectors = openConnectors({
    LOCKSTEP_SECRETS_DIR: folder,
    LOCKSTEP_SECRETS_PREFIX: 'LOCKSTEP_SECRET_',
  });
  afterAll(() => connectors.close());

  async function findings(content: string) {
    const file = 'bind-password';
    writeFileSync(path.join(folder, file), content);
    return { file, findings: await findingsOf(`\${file:${file}}`) };
  }

  async function findingsOf(bindPassword: string) {
    const { url, caFile } = server('slapd');
    const settings = {
      ...{ url, ca: caFile, base: `ou=people,${suffixes.corp}` },
      ...{ bindDn: `cn=lockstep,ou=services,${suffixes.corp}`, bindPassword },
    };
    const configuration = { kind: 'ldap', settings } as unknown as SourceConfiguration;
    return (await connectors.of('directory', configuration)).check();
  }

  test('a file that begins with a byte order mark is reported by its name, without its content', async () => {
    const secret = server('slapd').lockstep ?? '';
    const checked = await findings(`\ufeff${secret}`);
    expect(checked.findings).toContainEqual({
      ...{ check: 'secret', verdict: 'wrong' },
      says: expect.stringContaining(`bindPassword: The file ${checked.file} begins with a byte`),
    });
    expect(JSON.stringify(checked.findings)).not.toContain(secret);
  });

  test.each(['', '\n', '\r\n'])(
    'one line end at the end is no part of the secret: %j',
    async (end) => {
      const checked = await findings(`${server('slapd').lockstep}${end}`);
      expect(checked.findings).toContainEqual(
        expect.objectContaining({ check: 'service-login', verdict: 'ok' }),
      );
      expect(checked.findings.map(({ check }) => check)).not.toContain('secret');
    },
  );

  test.each(['${file:/etc/passwd}', '${file:../x}', '${env:DATABASE_URL}', '${file:missing}'])(
    'a reference that the worker does not resolve is reported with what to do: %s',
    async (reference) => {
      expect(await findingsOf(reference)).toContainEqual({
        ...{ check: 'secret', verdict: 'wrong' },
        says: expect.stringMatching(/^bindPassword: .+(LOCKSTEP_SECRETS_|Create it)/),
      });
    },
  );
});
