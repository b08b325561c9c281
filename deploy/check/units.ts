import path from 'node:path';
import { isInstalled, run } from '../make/tools';
import { type Check, must, Skipped } from './report';

const UNITS = [
  'lockstep-api.service',
  'lockstep-worker.service',
  'lockstep-worker@.service',
  'lockstep-lookup.service',
];

/** The exposure that systemd-analyze computes, in tenths: 0 is best, 10 is worst. */
const MAX_EXPOSURE = 20;

export const units: Check = {
  name: 'units',
  title: 'systemd accepts the units and rates their hardening',
  async run({ clone }) {
    if (!(await isInstalled('systemd-analyze'))) throw new Skipped('systemd is not installed');
    const files = UNITS.map((unit) => path.join(clone, 'deploy/systemd', unit));
    // The program is on no build machine, and this complaint says nothing about the unit.
    const complaints = (await verify(files)).filter((line) => !line.includes('is not executable'));
    must(complaints.length === 0, complaints.join('\n'));
    const found: string[] = [];
    for (const file of files) {
      const rating = await run('systemd-analyze', [
        'security',
        '--offline=true',
        `--threshold=${MAX_EXPOSURE}`,
        '--no-pager',
        file,
      ]);
      const [, exposure = '?'] = /exposure level for \S+: ([\d.]+)/.exec(rating) ?? [];
      found.push(`${path.basename(file)} is valid; its exposure level is ${exposure} of 10`);
    }
    return found;
  },
};

/** The complaints of systemd about these units, which it prints also when it accepts them. */
const verify = async (files: readonly string[]): Promise<string[]> => {
  const script = 'systemd-analyze verify --man=no "$@" 2>&1 || true';
  const printed = await run('sh', ['-c', script, 'verify', ...files]);
  return printed.split('\n').filter((line) => line !== '');
};
