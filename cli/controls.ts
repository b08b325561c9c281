/** Names come from other systems: a terminal must not obey, nor turn around, what is written in them. */
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are taken out
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export const withoutControls = (text: string): string => text.replaceAll(CONTROLS, '\ufffd');

/** JSON that means the same; its line ends stay. */
export const escapedControls = (json: string): string =>
  json.replaceAll(CONTROLS, (control) =>
    control === '\n' ? control : `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
