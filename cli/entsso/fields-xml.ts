import { lockstepName } from './names';
import { type Element, yesOrNo } from './read-xml';

/** A field of a credential, in the shape of the configuration file. */
interface Field {
  readonly name: string;
  readonly label: string;
  readonly masked: boolean;
  readonly synced?: true;
}

/**
 * The fields of an application in the order of their ordinals; the first is the user id. The password is the second of
 * two fields, or else the only masked one.
 * @returns no field for an application that names none; a string with the reason when they have no counterpart
 */
export function fieldsOf(file: string, application: Element): readonly Field[] | string {
  const elements = application.children.filter(({ name }) => name === 'field');
  const ordinals = elements.map(({ attributes }) => attributes.ordinal ?? '');
  if (!ordinals.every((ordinal) => /^\d{1,4}$/.test(ordinal)) || hasRepeated(ordinals.map(Number)))
    return 'Its fields have no order: each needs a number of its own as "ordinal".';
  const fields = elements
    .map((element) => ({ element, ordinal: Number(element.attributes.ordinal) }))
    .sort((one, other) => one.ordinal - other.ordinal)
    .map(({ element, ordinal }): Field => {
      const { label = '' } = element.attributes;
      const name = lockstepName(label) ?? `field-${ordinal}`;
      return { name, label, masked: yesOrNo(file, element, 'masked') ?? false };
    });
  if (fields.length === 0) return [];
  if (hasRepeated(fields.map(({ name }) => name)))
    return 'Two of its fields have the same name. Create it with "lockstep applications create --field …".';
  const password = passwordOf(fields);
  if (password === null)
    return 'It is not clear which field holds the password. Create it with "lockstep applications create --field … --synced …".';
  return fields.map((field) => (field === password ? { ...field, synced: true } : field));
}

function passwordOf([userId, ...others]: readonly Field[]): Field | null {
  const [second, third] = others;
  if (third === undefined) return second ?? null;
  const masked = others.filter((field) => field.masked);
  return masked.length === 1 && userId?.masked === false ? (masked[0] ?? null) : null;
}

const hasRepeated = (values: readonly unknown[]): boolean => new Set(values).size < values.length;
