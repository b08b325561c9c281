import { type Described, plainTitle } from '../../model/configuration/titles';
import { quoted } from '../../model/quoted';
import { type Html, html } from '../html';
import { type Assets, page } from '../shell';

/** What every page of the staff shows around its content. */
export interface Desk {
  readonly assets: Assets;
  /** The name or the agent of the API key that signed in. */
  readonly name: string;
  /** The parts that the user may open. */
  readonly links: readonly { readonly href: string; readonly title: string }[];
  readonly now: Date;
  /** A sentence about what the user has just ordered; empty if nothing. */
  readonly done: string;
}

interface DeskPage {
  readonly title: string;
  readonly address: string;
  /** The sentence that matters most. A screen reader announces it when it changes. */
  readonly verdict?: { readonly tone: 'good' | 'busy' | 'bad'; readonly says: string };
  /** What stays as it is while the page keeps itself current, such as a form. */
  readonly fixed?: Html;
  readonly content: Html;
  /** True if the page keeps itself current. */
  readonly isLive?: boolean;
  /** A script of its own, for a page that does not keep itself current. */
  readonly script?: keyof Assets;
}

/** A page of the staff. */
export const deskPage = (
  desk: Desk,
  { title, address, verdict, fixed, content, isLive = false, script }: DeskPage,
): string =>
  page({
    lang: 'en',
    title: `${title} – Lockstep`,
    assets: desk.assets,
    ...(isLive ? { script: 'live' as const } : script === undefined ? {} : { script }),
    // A browser without JavaScript would lose what the user has typed.
    ...(isLive && fixed === undefined ? { refreshSeconds: 15 } : {}),
    header: html`<a class="skip" href="#main">Skip to the content</a><a class="brand" href="/console">Lockstep</a>
<nav aria-label="Console">${desk.links.map(
      ({ href, title: link }) =>
        html`<a href="${href}"${href === address && html` aria-current="page"`}>${link}</a>`,
    )}${desk.name !== '' && html`<form method="post" action="/console/sign-out" class="inline"><span class="hint">${desk.name}</span><button>Sign out</button></form>`}</nav>`,
    main: html`<h1>${title}</h1>
${desk.done !== '' && html`<p class="verdict busy" role="status">${desk.done}</p>`}
${verdict !== undefined && html`<p class="verdict ${verdict.tone}" role="status" id="verdict">${verdict.says}</p>`}
${isLive && liveNotes}${fixed}
<div id="live"${isLive && html` data-live`}>${content}
${isLive && html`<p class="hint as-of">As of ${clock(desk.now)}.</p>`}</div>`,
  });

const liveNotes = html`<p class="hint needs-script"><label><input type="checkbox" id="pause">Pause updates</label></p>
<p class="verdict bad" role="alert" id="ended" hidden>This page is not updated any more, because your session has ended. <a href="/console/sign-in">Sign in again</a></p>
<p class="verdict busy" role="status" id="lost" hidden>The server cannot be reached. The page shows the state of the time below, and tries again.</p>`;

/** A page with one sentence, for a request that failed. @param back the page of the form that was sent; null if none was */
export const problemPage = (desk: Desk, says: string, back: string | null): string =>
  deskPage(desk, {
    title: 'That did not work',
    address: '',
    content: html`<p class="verdict bad">${says}</p><p>${back !== null && html`<a href="${back}">Back to the form</a> or `}<a href="/console">${back === null ? 'Back to the overview' : 'to the overview'}</a></p>`,
  });

/** The title that people read, below a technical name; nothing if the configuration states none. */
export const titleBelow = (name: string, { title }: Described): Html | false =>
  title.en !== plainTitle(name) && html`<br><small>“${title.en}”</small>`;

export const clock = (time: Date): string =>
  time.toLocaleString('en-GB', {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });

/** A button that sends a command, with the CLI command that does the same. */
export const commandButton = (
  action: string,
  title: string,
  fields: Readonly<Record<string, string>> = {},
): Html =>
  html`<form method="post" action="${action}" class="inline">${Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button>${title}</button></form>`;

/** A button with the CLI command that does the same. */
export const withCommand = (button: Html, command: string, ...names: readonly string[]): Html =>
  html`<span class="pair">${button}${cliCommand(command, ...names)}</span>`;

/** A sentence of the reference, in which names of settings are between backticks. */
export const described = (says: string): readonly Html[] =>
  says
    .split('`')
    .map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));

/** A CLI command. Names that a shell would split are quoted, so that it can be copied. */
export const cliCommand = (command: string, ...names: readonly string[]): Html =>
  html`<code class="command">${[command, ...names.map(quoted)].join(' ')}</code>`;
