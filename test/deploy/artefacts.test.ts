import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { environmentSchema } from '../../config';
import { readEnvironmentFile, readUnit, withVariables } from '../../deploy/check/unit-file';
import { release } from '../../release';

const deploy = path.resolve(__dirname, '../../deploy');
const read = (file: string) => readFileSync(path.join(deploy, file), 'utf8');

/** Variables of Node and glibc that the artefacts set. */
const OTHERS = ['NODE_EXTRA_CA_CERTS', 'MALLOC_ARENA_MAX'];
const known = [...Object.keys(environmentSchema.shape), ...OTHERS];

const environmentFiles = [
  'etc/api.env',
  'etc/worker.env',
  'etc/lookup.env',
  'compose/api.env.example',
  'compose/worker.env.example',
];

const chartTemplates = readdirSync(path.join(deploy, 'helm/lockstep/templates')).map(
  (file) => `helm/lockstep/templates/${file}`,
);

const commentedOut = (text: string): string => text.replaceAll(/^#(?=[A-Z][A-Z0-9_]*=)/gm, '');

test.each(environmentFiles)('every variable of %s is one that Lockstep reads', (file) => {
  const variables = Object.keys(readEnvironmentFile(commentedOut(read(file))));
  expect(variables.length).toBeGreaterThan(3);
  expect(variables.filter((name) => !known.includes(name))).toEqual([]);
});

test('every variable of the chart is one that Lockstep reads', () => {
  const variables = chartTemplates.flatMap((file) =>
    [...read(file).matchAll(/- name: ([A-Z][A-Z0-9_]+)$/gm)].map(([, name]) => name ?? ''),
  );
  expect(variables).toContain('LOCKSTEP_SIGNER_FILE');
  expect(variables.filter((name) => !known.includes(name))).toEqual([]);
});

test.each(['api', 'worker'])(
  'the unit of the %s is hardened and starts its main program',
  (kind) => {
    const file = `systemd/lockstep-${kind}.service`;
    const unit = readUnit(path.join(deploy, file));
    expect(unit.user).toBe(`lockstep-${kind}`);
    expect(unit.environmentFile).toBe(`/etc/lockstep/${kind}.env`);
    expect(unit.start.at(-1)).toBe(`/usr/lib/lockstep/dist/${kind}/main.js`);
    expect(read(file)).toMatch(/^NoNewPrivileges=yes$[\s\S]*^ProtectSystem=strict$/m);
  },
);

test('the unit of the lookup service runs as the owner of the master keys, and sees no other key', () => {
  const file = 'systemd/lockstep-lookup.service';
  const { user, environmentFile, start } = readUnit(path.join(deploy, file));
  expect([user, environmentFile]).toEqual(['lockstep-worker', '/etc/lockstep/lookup.env']);
  expect(start.at(-1)).toBe('/usr/lib/lockstep/dist/lookup/main.js');
  for (const hidden of ['keys/epochs', 'keys/audit', 'keys/signer.json', 'keys/events.json'])
    expect(read(file)).toMatch(
      new RegExp(`^InaccessiblePaths=.*-/var/lib/lockstep/worker/${hidden}`, 'm'),
    );
  expect(read(file)).not.toMatch(/ReadWritePaths|Accessible.*keys\/master/);
});

test('image, chart and compose file have the version of package.json', () => {
  const chart = parse(read('helm/lockstep/Chart.yaml'));
  const compose = parse(read('compose/compose.yaml'), { merge: true });
  expect([chart.version, chart.appVersion]).toEqual([release(), release()]);
  for (const service of Object.values(compose.services) as { image: string }[])
    expect(service.image).toBe(`lockstep:${release()}`);
  expect(readFileSync(path.join(deploy, '../CHANGELOG.md'), 'utf8')).toContain(`## ${release()}\n`);
});

test('no container of the compose file can write to its root or gain privileges', () => {
  const compose = parse(read('compose/compose.yaml'), { merge: true });
  for (const service of Object.values(compose.services))
    expect(service).toMatchObject({
      user: '10001:10001',
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
});

test('the chart contains no secret: each one is a reference', () => {
  const text = chartTemplates.map(read).join('\n');
  expect(text).not.toMatch(/kind: Secret\b/);
  expect(text).toContain('secretKeyRef');
});

test('a variable is set in place of its comment, and at the end if there is none', () => {
  expect(withVariables('# Ports.\n#A=1\nB=2', { A: '3', C: '4' })).toBe(
    '# Ports.\nA=3\nB=2\nC=4\n',
  );
});
