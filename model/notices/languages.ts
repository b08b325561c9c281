/** The languages in which notices are written; each has a file in `texts/`. */
export const languages = ['en', 'de'] as const;

export type Language = (typeof languages)[number];
