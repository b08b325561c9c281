/** HTML that is safe to send: every text that was put into it is escaped. */
export interface Html {
  readonly html: string;
}

type Part = Html | string | number | null | undefined | false | readonly Part[];

/** Makes HTML of a template. Texts are escaped; null, undefined and false leave nothing; lists are joined. */
export const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  html: texts
    .map((text, index) => `${text}${index < parts.length ? shown(parts[index]) : ''}`)
    .join(''),
});

/** Text with `code` in backticks, as descriptions of settings have it. Links of Markdown become their text. */
export const inline = (text: string): Html => {
  const parts = text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').split('`');
  return html`${parts.map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))}`;
};

function shown(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part));
  return 'html' in part ? part.html : part.map(shown).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
