// Bundles what the pages of the console load in a browser: four scripts without any package, and one style sheet.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');
const browser = path.join(root, 'console/browser');
const outdir = path.join(root, 'dist/console/assets');

const { metafile } = await build({
  entryPoints: ['change.ts', 'copy.ts', 'link.ts', 'live.ts', 'style.css'].map((file) =>
    path.join(browser, file),
  ),
  outdir,
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome115', 'firefox115', 'safari16.4'],
  tsconfig: path.join(browser, 'tsconfig.json'),
  metafile: true,
  absWorkingDir: root,
  logLevel: 'warning',
});
// The tests read which files went into each bundle.
writeFileSync(path.join(outdir, 'meta.json'), JSON.stringify(metafile));
