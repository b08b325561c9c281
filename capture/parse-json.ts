/** Parses JSON from an untrusted source. Returns null if the text is not JSON, without an error that could quote it. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
