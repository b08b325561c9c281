import { existsSync, readFileSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { consoleCheck } from './console-check';

/** Debian's Chromium, for the pages of the console. */
const EXECUTABLE = '/usr/bin/chromium';

export const hasBrowser = existsSync(EXECUTABLE);

/** Describes tests in a browser; without one they are skipped, with the reason in their title. */
export const describeInBrowser = (title: string, tests: () => void): void =>
  hasBrowser
    ? describe(title, tests)
    : describe.skip(`${title} (skipped: install the Debian package chromium)`, tests);

export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox'] });

/** Collects what a page must not report: console errors, uncaught errors and breaches of its own security policy. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    const failed = /the server responded with a status of 4/.test(message.text());
    if (message.type() === 'error' && !failed) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return complaints;
}

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** The rules of WCAG 2.2 AA that the page breaks, as axe reports them. */
export async function violationsOf(page: Page): Promise<string[]> {
  // DevTools evaluates this outside the security policy of the page.
  await page.evaluate(axe);
  return page.evaluate(
    `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
      .then(({ violations }) => violations.map(({ id, nodes }) =>
        id + ': ' + nodes.map(({ html }) => html).join(' ')))`,
  );
}

/** How a page is shown to people who need, or prefer, something else than the default. */
export const modes = {
  'light colours, 320 pixels wide': { viewport: { width: 320, height: 640 }, colorScheme: 'light' },
  // A window of 1280 pixels at 200 % has 640 of them.
  'dark colours at a zoom of 200 %': {
    ...{ viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
    colorScheme: 'dark',
  },
  'forced colours': { viewport: { width: 1280, height: 800 }, forcedColors: 'active' },
  'light colours with reduced motion': {
    ...{ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' },
    colorScheme: 'light',
  },
  'dark colours, 320 pixels wide': { viewport: { width: 320, height: 640 }, colorScheme: 'dark' },
} as const satisfies Record<string, BrowserContextOptions>;

/** `npm test` shows the pages in two modes, `npm run check:console` in all. */
export const shownModes = (Object.keys(modes) as (keyof typeof modes)[]).slice(
  0,
  consoleCheck.isRunning ? undefined : 2,
);

/** Many presses: more than a page has elements that take the focus. */
const MOST_TABS = 400;

/**
 * Walks over a page with the Tab key. It reports elements that are never reached, that get the focus in another order than
 * they have in the page, that do not show it, and those that are outside the window when they have it.
 */
export async function keyboardComplaintsOf(page: Page): Promise<string[]> {
  // A page that renews itself while the machine is slow would lose the marks of the walk.
  await page.evaluate(
    "document.querySelectorAll('#pause').forEach((one) => { one.checked = true; })",
  );
  const wanted = (await page.evaluate(`(() => {
    const focusable = [...document.querySelectorAll('a[href],button,input:not([type=hidden]),select,textarea,summary')];
    const shown = focusable.filter((e) => e.checkVisibility() && !e.disabled);
    shown.forEach((e, index) => e.dataset.walk = String(index));
    document.activeElement?.blur();
    return shown.map((e) => e.outerHTML.slice(0, 120));
  })()`)) as string[];
  const reached: number[] = [];
  const complaints: string[] = [];
  for (let press = 0; press < MOST_TABS && reached.length < wanted.length; press++) {
    await page.keyboard.press('Tab');
    const at = (await page.evaluate(`(() => {
      const e = document.activeElement;
      if (e === null || e.dataset.walk === undefined) return null;
      const { outlineStyle, outlineWidth } = getComputedStyle(e);
      const { top, bottom, left, right } = e.getBoundingClientRect();
      const isInside = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
      return { index: Number(e.dataset.walk), isMarked: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2, isInside };
    })()`)) as { index: number; isMarked: boolean; isInside: boolean } | null;
    // Scrolling containers and the body have the focus without being an element of the page that can be used.
    if (at === null) continue;
    if (reached.includes(at.index)) break;
    reached.push(at.index);
    if (!at.isMarked) complaints.push(`no mark: ${wanted[at.index]}`);
    if (!at.isInside) complaints.push(`outside the window: ${wanted[at.index]}`);
  }
  if (reached.some((index, place) => index !== place)) complaints.push(`order: ${reached}`);
  const missed = wanted.filter((_, index) => !reached.includes(index));
  return [...complaints, ...missed.map((html) => `never reached: ${html}`)];
}
