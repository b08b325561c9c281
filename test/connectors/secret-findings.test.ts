import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { openConnectors } from '../../connectors/open';
import type { SourceConfiguration } from '../../model/configuration/document';
import { describeWith, server } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { openFolder } from '../support/shims';

describeWith(['slapd'], 'the secret of a source', () => {
  const connectors = openConnectors();
  afterAll(() => connectors.close());

  async function findings(content: string) {
    const file = path.join(openFolder(), 'bind-password');
    writeFileSync(file, content);
    const { url, caFile } = server('slapd');
    const settings = {
      ...{ url, ca: caFile, base: `ou=people,${suffixes.corp}` },
      ...{ bindDn: `cn=lockstep,ou=services,${suffixes.corp}`, bindPassword: `\${file:${file}}` },
    };
    const configuration = { kind: 'ldap', settings } as unknown as SourceConfiguration;
    const connector = await connectors.of(file, configuration);
    return { file, findings: await connector.check() };
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
});
