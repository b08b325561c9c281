/** Ends a sentence that begins with a name, or with the path to it. */
export const NOT_A_NAME =
  'has a meaning of its own in JavaScript and cannot be a name; use another one';

/** Every object has a property of such a name, so that a look-up would find something else than the entry. */
export const isInherited = (text: string): boolean => text in Object.prototype;
