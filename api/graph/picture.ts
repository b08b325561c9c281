import type { GraphView } from '../../model/graph/facts';
import { type Band, type Box, bandsOf } from './bands';

/**
 * Draws how passwords flow between sources, as an SVG: one band per group, with the origins of passwords on the left and
 * the sources that receive them on the right. The same configuration always gives the same bytes.
 */
export function drawGraph(view: GraphView, accountsIn: (source: string) => number): string {
  const bands = bandsOf(view, accountsIn);
  let top = MARGIN + HEAD;
  const drawn = bands.map((band) => {
    const from = top;
    top += heightOf(band) + BAND_GAP;
    return { band, top: from };
  });
  const where = new Map(
    drawn.flatMap(({ band, top: from }) =>
      band.targets.map((target, row) => [target.name, rowTop(band, band.targets, row) + from]),
    ),
  );
  const height = top + FOOT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description">`,
    '<title id="title">How Lockstep carries passwords</title>',
    `<desc id="description">${escaped(bands.map(described).join(' '))}</desc>`,
    `<style>${STYLE}</style>`,
    ARROWS,
    `<rect class="page" width="${WIDTH}" height="${height}"/>`,
    ...COLUMNS.map(([x, title]) => text(x, MARGIN + 12, title, 'head')),
    ...drawn.map(({ band, top: from }) => drawBand(band, from, where)),
    text(MARGIN, height - MARGIN, LEGEND, 'small'),
    '</svg>\n',
  ].join('\n');
}

const MARGIN = 24;
const HEAD = 28;
const FOOT = 36;
const BOX = { width: 250, height: 62 };
const GAP = 14;
const BAND_GAP = 34;
const COLUMN = 350;
const [LEFT, MIDDLE, RIGHT] = [MARGIN, MARGIN + COLUMN, MARGIN + 2 * COLUMN] as const;
const WIDTH = RIGHT + BOX.width + MARGIN;

const COLUMNS: readonly (readonly [number, string])[] = [
  [LEFT, 'Where passwords come from'],
  [MIDDLE, 'Groups'],
  [RIGHT, 'Sources that receive them'],
];
const LEGEND =
  'Bold: the auth source, changed first (directory-last: last). Dashed: receives no passwords. Numbers are linked accounts.';

const stackHeight = (boxes: readonly Box[]): number =>
  boxes.length * (BOX.height + GAP) - (boxes.length === 0 ? 0 : GAP);

const heightOf = ({ origins, targets }: Band): number =>
  Math.max(BOX.height, stackHeight(origins), stackHeight(targets));

/** The top of a box, relative to its band. Stacks are centred vertically in the band. */
const rowTop = (band: Band, stack: readonly Box[], row: number): number =>
  (heightOf(band) - stackHeight(stack)) / 2 + row * (BOX.height + GAP);

function drawBand(band: Band, top: number, where: ReadonlyMap<string, number>): string {
  const { group, origins, targets, lent } = band;
  const middle = top + (heightOf(band) - BOX.height) / 2;
  const origin = (row: number) => top + rowTop(band, origins, row);
  const target = (row: number) => top + rowTop(band, targets, row);
  const lentTop = lent === null ? undefined : where.get(lent);
  return [
    ...(group === null
      ? []
      : [
          ...origins.map((_, row) => arrow(LEFT, origin(row), MIDDLE, middle, 'member')),
          ...targets.map(({ style }, row) => arrow(MIDDLE, middle, RIGHT, target(row), style)),
          ...(lentTop === undefined ? [] : [arrow(MIDDLE, middle, RIGHT, lentTop, 'auth')]),
          drawBox(group, MIDDLE, middle),
        ]),
    ...origins.map((box, row) => drawBox(box, LEFT, origin(row))),
    ...targets.map((box, row) => drawBox(box, RIGHT, target(row))),
  ].join('\n');
}

function arrow(fromX: number, fromTop: number, toX: number, toTop: number, style: Box['style']) {
  const [x1, y1, x2, y2] = [
    fromX + BOX.width,
    fromTop + BOX.height / 2,
    toX - 4,
    toTop + BOX.height / 2,
  ];
  const bend = (x1 + x2) / 2;
  const head = style === 'off' ? '' : ` marker-end="url(#${style === 'auth' ? 'auth' : 'member'})"`;
  return `<path class="arrow ${style}" d="M${x1} ${y1}C${bend} ${y1} ${bend} ${y2} ${x2} ${y2}"${head}/>`;
}

/** The number of characters that fit into a box. The tooltip has the full text. */
const FITS = { name: 26, line: 38 };

function drawBox({ name, lines, style }: Box, x: number, y: number): string {
  const shown = [
    text(x + 12, y + 20, cut(name, FITS.name), 'name'),
    ...lines.map((line, row) => text(x + 12, y + 37 + row * 15, cut(line, FITS.line), 'small')),
  ];
  return `<g class="box ${style}"><title>${escaped([name, ...lines].join(', '))}</title><rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="8"/>${shown.join('')}</g>`;
}

const text = (x: number, y: number, content: string, style: string): string =>
  `<text class="${style}" x="${x}" y="${y}">${escaped(content)}</text>`;

const cut = (content: string, length: number): string =>
  content.length <= length ? content : `${content.slice(0, length - 1)}…`;

const escaped = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** The text for screen readers. */
function described({ group, origins, targets, lent }: Band): string {
  const list = (boxes: readonly Box[]) =>
    boxes.map(({ name, lines }) => `${name} (${lines.join(', ')})`).join('; ');
  if (group === null) return `In no group: ${list(targets)}.`;
  const lender = lent === null ? '' : ` The auth source ${lent} belongs to another group.`;
  return `Group ${group.name}: passwords come from ${list(origins)} and go to ${list(targets)}.${lender}`;
}

const marker = (id: string): string =>
  `<marker id="${id}" class="arrowhead ${id}" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>`;

const ARROWS = `<defs>${marker('member')}${marker('auth')}</defs>`;

const STYLE = `
:root{--page:#ffffff;--ink:#111827;--soft:#4b5563;--line:#6b7280;--auth:#6d28d9;--box:#f3f4f6;--group:#ede9fe;--in:#ecfdf5}
@media (prefers-color-scheme:dark){:root{--page:#0f1115;--ink:#f3f4f6;--soft:#b6bcc8;--line:#8b93a1;--auth:#b79cff;--box:#1d212a;--group:#2a2343;--in:#12291f}}
text{font-family:system-ui,sans-serif;fill:var(--ink)}
.page{fill:var(--page)}
.head{font-size:13px;font-weight:600;fill:var(--soft)}
.name{font-size:14px;font-weight:600}
.small{font-size:12px;fill:var(--soft)}
.box rect{fill:var(--box);stroke:var(--line)}
.box.group rect{fill:var(--group)}
.box.api rect,.box.captured rect{fill:var(--in)}
.box.auth rect{stroke:var(--auth);stroke-width:2.5}
.box.off rect{stroke-dasharray:5 4;fill:none}
.arrow{fill:none;stroke:var(--line);stroke-width:1.5}
.arrow.auth{stroke:var(--auth);stroke-width:3}
.arrow.off{stroke-dasharray:5 4}
.arrowhead path{fill:var(--line)}
.arrowhead.auth path{fill:var(--auth)}
`;
