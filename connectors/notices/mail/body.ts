import type { NoticeText } from '../../../model/notices/facts';

const SIGNATURE = 'Lockstep';

export const plainOf = ({ paragraphs }: NoticeText): string =>
  [...paragraphs, `-- \n${SIGNATURE}`].join('\n\n');

/** Minimal HTML, without links, pictures and styles. */
export const htmlOf = ({ subject, paragraphs }: NoticeText): string =>
  [
    '<!doctype html>',
    `<html><head><meta charset="utf-8"><title>${escaped(subject)}</title></head><body>`,
    ...paragraphs.map((paragraph) => `<p>${escaped(paragraph)}</p>`),
    `<p>${SIGNATURE}</p>`,
    '</body></html>',
    '',
  ].join('\n');

const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
