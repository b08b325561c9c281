import { z } from 'zod';

/** Ends a sentence that begins with a name, or with the path to it. */
export const NOT_A_NAME =
  'has a meaning of its own in JavaScript and cannot be a name; use another one';

/** Every object has a property of such a name, so that a look-up would find something else than the entry. */
export const isInherited = (text: string): boolean => text in Object.prototype;

/** The name of an entry of the configuration. */
export const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'use lower-case letters, digits and hyphens, a letter first')
  .refine((text) => !isInherited(text), NOT_A_NAME);

/** The name of an attribute of an account or a person, or of a field. */
export const attribute = z
  .string()
  .min(1)
  .refine((text) => !isInherited(text), NOT_A_NAME);
