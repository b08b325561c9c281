import type { ListRow } from '../../model/people/mapping-list';
import { withoutControls } from '../controls';
import { usage } from '../failure';
import { lockstepName } from './names';
import { type Element, readEntssoXml, textOf } from './read-xml';

const parts = ['windowsdomain', 'windowsuserid', 'externalapplication', 'externaluserid'];

interface DomainRow extends ListRow {
  /** In lower case; empty if the mapping names none. */
  readonly domain: string;
}

/**
 * Reads the file of `ssomanage -createmappings`: the documented shape, and nothing else.
 * @param onlyDomain only the mappings of this Windows domain
 * @throws Failure for a file of several domains, unless one is chosen: a name may mean another person in each
 */
export function readMappingsXml(
  file: string,
  onlyDomain: string | undefined,
): { readonly rows: ListRow[]; readonly notes: string[] } {
  const notes = new Set<string>();
  const nameOf = createApplicationNames(file);
  const all = readEntssoXml(file).flatMap((element): DomainRow[] => {
    if (element.name === 'mapping') return [rowOf(file, element, notes, nameOf)];
    notes.add(`The element "${withoutControls(element.name)}" is no mapping, and is ignored.`);
    return [];
  });
  const domains = [...new Set(all.map(({ domain }) => domain))];
  if (onlyDomain === undefined && domains.length > 1)
    throw usage(
      `${file} has mappings of several Windows domains: ${domains.map(withoutControls).join(', ')}. Choose one with --domain.`,
    );
  const wanted = onlyDomain?.toLowerCase();
  const rows = all.filter(({ domain }) => wanted === undefined || domain === wanted);
  return { rows, notes: [...notes] };
}

type NameOf = (original: string, line: number) => string;

/**
 * Names applications.
 * @throws Failure for the second of two that would have one name: their mappings would be mixed
 */
function createApplicationNames(file: string): NameOf {
  const originals = new Map<string, string>();
  return (original, line) => {
    const name = lockstepName(original);
    if (name === null)
      throw usage(`The application in line ${line} of ${file} has no usable name.`);
    const before = originals.get(name) ?? original;
    if (before.toLowerCase() !== original.toLowerCase())
      throw usage(
        `Line ${line} of ${file} names the application "${withoutControls(original)}", and another line "${withoutControls(before)}": both would be "${name}". Import them from two files.`,
      );
    originals.set(name, original);
    return name;
  };
}

function rowOf(file: string, element: Element, notes: Set<string>, nameOf: NameOf): DomainRow {
  for (const { name } of element.children)
    if (!parts.includes(name))
      notes.add(`The element "${withoutControls(name)}" has no counterpart, and is ignored.`);
  const need = (name: string, title: string) => {
    const text = textOf(file, element, name);
    if (text !== undefined) return text;
    throw usage(`The mapping in line ${element.line} of ${file} has no ${title}.`);
  };
  const external = need('externalapplication', 'externalApplication');
  const application = nameOf(external, element.line);
  if (application !== external)
    notes.add(`The application "${withoutControls(external)}" is called "${application}" here.`);
  return {
    line: element.line,
    domain: (textOf(file, element, 'windowsdomain') ?? '').toLowerCase(),
    wanted: {
      application,
      identity: need('windowsuserid', 'windowsUserId'),
      account: need('externaluserid', 'externalUserId'),
    },
  };
}
