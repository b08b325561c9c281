import { existsSync, readFileSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

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
