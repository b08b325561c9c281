/**
 * Control characters and marks of text direction. Names come from other systems, and a terminal would execute an escape
 * sequence in a name or display the name backwards.
 */
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this expression removes control characters
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The text with each control character replaced by U+FFFD, for display at a terminal. */
export const withoutControls = (text: string): string => text.replaceAll(CONTROLS, '\ufffd');

/** The same JSON value with control characters escaped inside its strings; line feeds between tokens stay. */
export const escapedControls = (json: string): string =>
  json.replaceAll(CONTROLS, (control) =>
    control === '\n' ? control : `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
