import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { environmentSchema } from '../../config';
import { readEnvironmentFile, readUnit, withVariables } from '../../deploy/check/unit-file';
import { release } from '../../release';
import { variablesOf } from '../support/variables-of-process';

const deploy = path.resolve(__dirname, '../../deploy');
const read = (file: string) => readFileSync(path.join(deploy, file), 'utf8');

/** A variable of Node that the artefacts set. */
const OF_NODE = 'NODE_EXTRA_CA_CERTS';
const processes = ['api', 'worker', 'lookup'] as const;

/** Variables that contain a secret, or name a file with one. */
const SECRETS =
  /^(DATABASE_(DIRECT_)?URL|LOCKSTEP_LOOKUP_DATABASE_URL|LOCKSTEP_(SECRETS|KEY)_DIR|LOCKSTEP_SIGN_IN_FILE|\w+_KEY_(FILE|PATH)|\w+_TOKEN_FILE)$/;

const chartTemplates = readdirSync(path.join(deploy, 'helm/lockstep/templates')).map(
  (file) => `helm/lockstep/templates/${file}`,
);

const commentedOut = (text: string): string => text.replaceAll(/^#(?=[A-Z][A-Z0-9_]*=)/gm, '');

test.each(
  processes.flatMap((kind) => [
    { kind, file: `etc/${kind}.env` },
    { kind, file: `compose/${kind}.env.example` },
  ]),
)('$file has every variable that the $kind process reads, and no other', ({ kind, file }) => {
  const variables = Object.keys(readEnvironmentFile(commentedOut(read(file))));
  expect(variables.filter((name) => name !== OF_NODE).sort()).toEqual(variablesOf(kind).sort());
});

test.each(processes)(
  'the chart gives the %s process variables that it reads, its secrets among them',
  (kind) => {
    const variables = variablesOf(kind);
    const given = chartVariables(kind);
    expect(given.filter((name) => name !== OF_NODE && !variables.includes(name))).toEqual([]);
    expect(variables.filter((name) => SECRETS.test(name) && !given.includes(name))).toEqual([]);
  },
);

test.each(processes)(
  'the chart passes each further variable to the %s process by its values',
  (kind) => {
    const template = read(`helm/lockstep/templates/${kind}.yaml`);
    expect(template).toContain(
      `include "lockstep.commonEnv" (dict "root" . "component" "${kind}")`,
    );
    const values = parse(read('helm/lockstep/values.yaml'));
    expect(values).toMatchObject({ environment: {} });
    expect(values[kind]).toMatchObject({
      environment: {},
      extraVolumes: [],
      extraVolumeMounts: [],
    });
  },
);

test('every further variable of Lockstep is one of the command line', () => {
  const read = new Set(processes.flatMap(variablesOf));
  const further = Object.keys(environmentSchema.shape).filter((name) => !read.has(name));
  expect(further.sort()).toEqual([
    'LOCKSTEP_API_KEY',
    'LOCKSTEP_API_KEY_FILE',
    'LOCKSTEP_CACHE_DIR',
    'LOCKSTEP_URL',
    'POSTGRES_BIN_DIR',
    'TEMPORAL_CLI_PATH',
  ]);
});

/** The variables that the template of a process sets, with those of the named parts that it includes. */
function chartVariables(kind: (typeof processes)[number]): string[] {
  const template = read(`helm/lockstep/templates/${kind}.yaml`);
  const parts = read('helm/lockstep/templates/_helpers.tpl').split('{{- define ');
  const included = (text: string): string[] => [
    text,
    ...parts.flatMap((part) => {
      const [, name = ''] = /^"([\w.]+)"/.exec(part) ?? [];
      return name !== '' && text.includes(`include "${name}"`) ? included(part) : [];
    }),
  ];
  const named = included(template)
    .join('\n')
    .matchAll(/- name: ([A-Z][A-Z0-9_]+)$/gm);
  return [...named].map(([, name]) => name ?? '');
}

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

test.each(processes)('the compose file mounts each file that the %s process reads', (kind) => {
  const compose = parse(read('compose/compose.yaml'), { merge: true });
  const mounted: string[] = compose.services[kind].volumes.map(
    (volume: string | { target: string }) =>
      typeof volume === 'string' ? volume.split(':')[1] : volume.target,
  );
  const text = commentedOut(read(`compose/${kind}.env.example`));
  const files = Object.values(readEnvironmentFile(text)).flatMap(
    (value) => value.match(/(?<![\w/.:])\/(etc|var)\/[\w/.-]+/) ?? [],
  );
  const below = (file: string) => mounted.some((folder) => `${file}/`.startsWith(`${folder}/`));
  const keyFolder = '/var/lib/lockstep/worker/keys';
  const missing = files.filter((file) => file.startsWith('/') && !below(file));
  expect(missing).toEqual(kind === 'lookup' ? [keyFolder] : []);
});

/** The variables of a bound worker. The others of a worker are about policies, captures, keys and workflows. */
const ofBound = [
  ...variablesOf('worker').filter((name) =>
    /^(DATABASE|TEMPORAL)_|^LOCKSTEP_((WORKER|SECRETS|OPS)_|(KEY|COMMAND)_DIR|TRACES_URL|LOG_LEVEL)/.test(
      name,
    ),
  ),
  OF_NODE,
];

test('a bound worker gets only variables that it reads, sees the keys of epochs, and none of the other secrets', () => {
  const [added, example, unit] = [
    'etc/isolated-worker.env',
    'compose/worker-isolated.env.example',
    'systemd/lockstep-worker@.service',
  ].map(read) as [string, string, string];
  for (const text of [added, example]) {
    const variables = readEnvironmentFile(commentedOut(text));
    expect(variables).toHaveProperty('LOCKSTEP_WORKER_SOURCES');
    expect(Object.keys(variables).filter((name) => !ofBound.includes(name))).toEqual([]);
  }
  const all = Object.keys(readEnvironmentFile(commentedOut(added)));
  expect(all.sort()).toEqual([...ofBound].sort());
  expect(unit.match(/^EnvironmentFile=.*$/gm)).toEqual([
    'EnvironmentFile=/etc/lockstep/worker-%i.env',
  ]);
  expect(unit).toMatch(
    /^TemporaryFileSystem=\/var\/lib\/lockstep:ro \/etc\/lockstep\/sources:ro$/m,
  );
  expect(unit).toMatch(
    /^BindReadOnlyPaths=\/var\/lib\/lockstep\/worker\/keys\/epochs \/etc\/lockstep\/sources\/%i$/m,
  );
  const { inaccessible } = readUnit(path.join(deploy, 'systemd/lockstep-worker@.service'), 'hr');
  expect(inaccessible).toEqual(
    expect.arrayContaining([
      ...['/etc/lockstep/secrets', '/etc/lockstep/worker.env', '/etc/lockstep/lookup.env'],
      ...['/etc/lockstep/worker/fingerprint.key', '/etc/lockstep/worker/transit-token'],
    ]),
  );
  const compose = parse(read('compose/compose.yaml'), { merge: true });
  expect(JSON.stringify(compose.services['worker-isolated'].volumes)).not.toMatch(
    /"worker:|files\/secrets|files\/worker/,
  );
});

test('the container of the lookup service sees no key of the worker but the master keys', () => {
  const { lookup } = parse(read('compose/compose.yaml'), { merge: true }).services;
  const [keys] = lookup.volumes.filter((volume: unknown) => typeof volume === 'object');
  expect(keys).toMatchObject({
    source: 'worker',
    target: '/var/lib/lockstep/worker/keys/master',
    read_only: true,
    volume: { subpath: 'keys/master' },
  });
  expect(JSON.stringify(lookup.volumes)).not.toMatch(/"worker:|secrets/);
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
