/** A name as one word of a shell. */
export const quoted = (name: string): string =>
  /^[\w.@-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
