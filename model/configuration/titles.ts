import { z } from 'zod';
import { type Language, languages } from '../notices/languages';

/** What people read about a source, a group or an application instead of its technical name. */

/** One line of text. It has no character that hides, reorders or breaks text, and none that PostgreSQL cannot store. */
const line = (most: number) =>
  z
    .string()
    .max(most)
    .refine((text) => text.trim() !== '', 'must not be empty')
    .refine(
      (text) => !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text),
      'must be one line without control characters',
    );

const byLanguage = (most: number) =>
  z
    .strictObject({ en: line(most).optional(), de: line(most).optional() })
    .refine((texts) => languages.some((language) => texts[language] !== undefined), {
      error: 'needs a text in at least one language: en, de',
    });

const MOST_OF_TITLE = 60;
const MOST_OF_HINT = 300;

export const titleField = {
  title: byLanguage(MOST_OF_TITLE)
    .optional()
    .describe(
      'The name that people read, by language: `en`, `de`. A language that is missing has the text of the other. Without it, people read the technical name with spaces.',
    ),
};

export const titleFields = {
  ...titleField,
  hint: byLanguage(MOST_OF_HINT)
    .optional()
    .describe(
      'A sentence that people read below the title, by language, such as what it is used for or what to do after a change of the password.',
    ),
};

/** A text as the configuration states it: in one language at least. */
type StatedText = Readonly<Partial<Record<Language, string | undefined>>>;

/** A text in every language. */
export type TextInAll = Readonly<Record<Language, string>>;

/** An entry of the configuration that people read about. */
export interface Titled {
  readonly title?: StatedText | undefined;
  readonly hint?: StatedText | undefined;
}

/** What people read about an entry. */
export interface Described {
  readonly title: TextInAll;
  readonly hint: TextInAll | null;
}

/** The title and hint of an entry. @param entry undefined if the configuration does not have it any more */
export const described = (name: string, entry: Titled | undefined): Described => ({
  title: inAll(entry?.title) ?? sameInAll(plainTitle(name)),
  hint: inAll(entry?.hint),
});

/** The title of an entry in one language. */
export const titleIn = (language: Language, name: string, entry: Titled | undefined): string =>
  described(name, entry).title[language];

/** A missing language has the text of the first language that is there. */
function inAll(stated: StatedText | undefined): TextInAll | null {
  const some = languages.map((language) => stated?.[language]).find((text) => text !== undefined);
  return some === undefined ? null : { ...sameInAll(some), ...withoutMissing(stated) };
}

const withoutMissing = (stated: StatedText = {}): Partial<TextInAll> =>
  Object.fromEntries(Object.entries(stated).filter(([, text]) => text !== undefined));

const sameInAll = (text: string): TextInAll => ({ en: text, de: text });

/** Short words that are no abbreviations. */
const ordinary = /^(all|and|any|app|for|in|my|new|no|of|old|on|one|our|own|the|to|two|web)$/;

/** A technical name in words: `corp-directory` is "Corp directory", and `crm` is "CRM". */
export function plainTitle(name: string): string {
  const words = name
    .replace(/^source:/, '')
    .split('-')
    .map((word) => (word.length <= 3 && !ordinary.test(word) ? word.toUpperCase() : word))
    .join(' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
