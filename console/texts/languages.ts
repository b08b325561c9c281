import { de } from './de';
import { en } from './en';
import type { Texts } from './texts';

const all: Readonly<Record<string, Texts>> = { en, de };

/**
 * The texts in the language of a person.
 * @param chosen the language in the address; empty if there is none
 * @param accepted the header Accept-Language, the preferred language first
 */
export function textsFor(chosen: string, accepted: string): Texts {
  const wanted = [chosen, ...accepted.split(',').map((part) => part.split(';', 1)[0] ?? '')];
  for (const tag of wanted) {
    const language = tag.trim().toLowerCase().split('-', 1)[0] ?? '';
    if (Object.hasOwn(all, language)) return all[language] ?? en;
  }
  return en;
}
