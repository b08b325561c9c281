import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cacheDir } from '../../local/places';
import { pythonPackages } from '../../local/wheels';
import { isInstalled, run } from '../make/tools';
import { type Check, type Context, must, Skipped } from './report';

const HELM = { program: 'helm', module: 'helm.sh/helm/v3/cmd/helm@v3.22.0' };
const KUBECONFORM = {
  program: 'kubeconform',
  module: 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0',
};

/** Versions of Kubernetes whose schemas the chart must fit. */
const KUBERNETES = ['1.33.0', '1.37.0'];

/** Values that turn on every part of the chart. */
const EVERYTHING = [
  'temporal.tlsSecretName=temporal-tls',
  'temporal.apiKeySecretName=temporal-key',
  'temporal.uiUrl=https://temporal.example.com',
  'policies.configMapName=policies',
  'authorities.configMapName=authorities',
  'environment.LOCKSTEP_EPOCH_HOURS=12',
  'temporal.tls=true',
  'keyServer.url=https://vault.example.com:8200/v1/transit',
  'keyServer.caFile=/etc/lockstep/ca/vault.pem',
  'api.signInSecretName=sign-in',
  'api.consoleKeySecretName=console',
  'worker.extraVolumes[0].name=commands',
  'worker.extraVolumes[0].configMap.name=commands',
  'worker.extraVolumeMounts[0].name=commands',
  'worker.extraVolumeMounts[0].mountPath=/usr/local/lib/lockstep/commands',
  'isolatedWorkers[0].name=hr',
  'isolatedWorkers[0].sources[0]=hr',
  'isolatedWorkers[0].secretName=hr',
  'isolatedWorkers[0].ports[0]=7233',
  'isolatedWorkers[0].ports[1]=636',
  'lookup.enabled=true',
  'lookup.environment.LOCKSTEP_LOG_LEVEL=debug',
];

/** The lookup service with master keys in the key volume. */
const WITH_LOOKUP = ['lookup.enabled=true'];

const charts = [
  ['with its defaults', []],
  ['with the lookup service', WITH_LOOKUP],
  ['with everything', EVERYTHING],
] as const;

export const chart: Check = {
  name: 'chart',
  title: 'the Helm chart renders, and Kubernetes accepts what it renders',
  async run(context) {
    const helm = await goProgram(HELM, context);
    const kubeconform = await goProgram(KUBECONFORM, context);
    const dir = path.join(context.clone, 'deploy/helm/lockstep');
    await run(helm, ['lint', '--strict', dir]);
    const carried = await carriedSchemas(context);
    const found = [];
    for (const version of KUBERNETES) {
      const schemas = localSchemas(carried, version, context.workDir);
      for (const [which, values] of charts) {
        const rendered = await run(helm, [
          'template',
          'lockstep',
          dir,
          '--kube-version',
          version,
          ...values.flatMap((value) => ['--set', value]),
        ]);
        const file = path.join(context.workDir, 'rendered.yaml');
        writeFileSync(file, rendered);
        const location = `${schemas}/{{.ResourceKind}}{{.KindSuffix}}.json`;
        const summary = await run(kubeconform, [
          '-strict',
          '-summary',
          '-schema-location',
          location,
          file,
        ]);
        must(/Invalid: 0, Errors: 0, Skipped: 0/.test(summary), summary);
        found.push(`Kubernetes ${version} accepts the chart ${which}: ${summary.trim()}`);
      }
    }
    return found;
  },
};

/** The program, which Go builds into the cache the first time. */
async function goProgram({ program, module }: typeof HELM, { report }: Context): Promise<string> {
  const dir = path.join(cacheDir(), 'deploy-tools');
  const file = path.join(dir, program);
  if (existsSync(file)) return file;
  if (!(await isInstalled('go')))
    throw new Skipped(`${program} is missing, and so is Go, which would build it`);
  report(`building ${program} from its Go module`);
  await run('go', ['install', module], { env: { GOBIN: dir } });
  return file;
}

/** The schemas of what the chart contains. */
const KINDS = [
  'deployment-apps-v1',
  'service-v1',
  'poddisruptionbudget-policy-v1',
  'networkpolicy-networking-v1',
];

/** The folder with the JSON schemas of Kubernetes, which a Python package carries. */
async function carriedSchemas({ clone, report }: Context): Promise<string> {
  const requirements = path.join(clone, 'deploy/check/requirements.txt');
  const { env } = await pythonPackages('kubernetes-schemas', requirements, report);
  return path.join(env.PYTHONPATH ?? '', 'kubernetes_validate/kubernetes-json-schema');
}

/** Copies the schemas of one version. Their references lead to a server of Kubernetes; those of the copies to each other. */
function localSchemas(carried: string, version: string, workDir: string): string {
  const target = path.join(workDir, version);
  mkdirSync(target);
  for (const name of [...KINDS, '_definitions']) {
    const text = readFileSync(
      path.join(carried, `v${version}-local-strict`, `${name}.json`),
      'utf8',
    );
    const local = text
      .replaceAll('"/api/_definitions.json#', '"_definitions.json#')
      .replace(/"\$id": "[^"]*"/, '"$comment": ""');
    writeFileSync(path.join(target, `${name}.json`), local);
  }
  return target;
}
