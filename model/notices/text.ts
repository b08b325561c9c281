import type { NoticeFacts, NoticeText, Texts } from './facts';
import type { NoticeKind } from './kinds';
import type { Language } from './languages';
import { german } from './texts/de';
import { english } from './texts/en';

const texts: Readonly<Record<Language, Texts>> = { en: english, de: german };

/** The text of a notice, without control characters, so that a name cannot add a header or a line to a mail. */
export function noticeText(kind: NoticeKind, language: Language, facts: NoticeFacts): NoticeText {
  const { subject, paragraphs } = texts[language][kind](cleaned(facts));
  return { subject, paragraphs };
}

const cleaned = (facts: NoticeFacts): NoticeFacts => ({
  ...facts,
  person: line(facts.person),
  subject: line(facts.subject),
  about: line(facts.about),
  contact: line(facts.contact),
  sources: facts.sources.map((source) => line(source) ?? ''),
  unsure: facts.unsure.map((source) => line(source) ?? ''),
  names: facts.names.map((name) => line(name) ?? ''),
});

/** Replaces control, line and direction characters by spaces. */
const line = (text: string | null): string | null =>
  text?.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, MAX_NAME) ?? null;

const MAX_NAME = 200;
