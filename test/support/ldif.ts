import { Attribute, Change, type Client } from 'ldapts';

/** Applies LDIF changes as `ldapmodify` does. It supports neither base64 nor folded lines. */
export async function applyLdif(client: Client, ldif: string): Promise<void> {
  for (const record of ldif.trim().split(/\n\n+/)) {
    const [dn = '', , ...lines] = record.split('\n');
    const parts = lines.join('\n').split(/\n-\n?/);
    await client.modify(dn.replace(/^dn: /, ''), parts.filter(Boolean).map(changeIn));
  }
}

function changeIn(part: string): Change {
  const [first = '', ...lines] = part.split('\n');
  const [operation = '', type = ''] = first.split(': ');
  const values = lines.map((line) => line.slice(`${type}: `.length));
  return new Change({
    operation: operation as 'add' | 'replace' | 'delete',
    modification: new Attribute({ type, values }),
  });
}
