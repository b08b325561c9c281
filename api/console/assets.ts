import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { RequestHandler } from 'express';
import type { Assets } from '../../console/shell';

const files = {
  style: { name: 'style.css', type: 'text/css; charset=utf-8' },
  change: { name: 'change.js', type: 'text/javascript; charset=utf-8' },
  link: { name: 'link.js', type: 'text/javascript; charset=utf-8' },
  copy: { name: 'copy.js', type: 'text/javascript; charset=utf-8' },
  live: { name: 'live.js', type: 'text/javascript; charset=utf-8' },
} as const satisfies Record<keyof Assets, { name: string; type: string }>;

/** The build writes them below `dist`, in which this file is, too, unless a test runs the sources. */
const folder = [
  path.join(__dirname, '../../console/assets'),
  path.join(__dirname, '../../dist/console/assets'),
].find(existsSync);

const contents = Object.entries(files).map(([key, { name, type }]) => {
  const file = folder === undefined ? null : path.join(folder, name);
  const bytes = file !== null && existsSync(file) ? readFileSync(file) : Buffer.from('');
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return { key, bytes, type, path: `/console/assets/${hash}/${name}` };
});

/** The addresses of the style sheet and the scripts. An address changes with the content, so browsers may keep it. */
export const assets = Object.fromEntries(
  contents.map(({ key, path: address }) => [key, address]),
) as unknown as Assets;

export const assetPages: readonly { readonly path: string; readonly send: RequestHandler }[] =
  contents.map(({ path: address, bytes, type }) => ({
    path: address,
    send: (_request, response) => {
      response.setHeader('cache-control', 'public, max-age=31536000, immutable');
      response.setHeader('content-type', type);
      response.setHeader('content-length', bytes.length);
      response.end(bytes);
    },
  }));
