/** The fields of a form for the settings of a kind of source, from their JSON schema, and the settings that were typed. */

export interface FieldSpec {
  /** The name of the setting. */
  readonly setting: string;
  /** The name of the input. */
  readonly input: string;
  readonly label: string;
  readonly says: string;
  readonly required: boolean;
  /** The value is a reference to a secret. */
  readonly secret: boolean;
  readonly control: 'text' | 'number' | 'flag' | 'choice' | 'lines' | 'several';
  /** The values of a choice, or of several. */
  readonly options: readonly string[];
  /** The default as text; empty if there is none. */
  readonly fallback: string;
}

interface Property {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly items?: Property;
}

/** The text that a form has in an input; empty if it has none. */
export type Typed = (input: string) => string;

export const inputOfSetting = (setting: string): string => `s-${setting}`;

export function fieldsOf(
  schema: Readonly<Record<string, unknown>>,
  secretSettings: readonly string[],
): FieldSpec[] {
  const { properties = {}, required = [] } = schema as {
    readonly properties?: Readonly<Record<string, Property>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([setting, property]) => ({
    setting,
    input: inputOfSetting(setting),
    label: labelOf(setting),
    says: property.description ?? '',
    required: required.includes(setting),
    secret: secretSettings.includes(setting),
    ...controlOf(property),
    fallback: fallbackOf(property.default),
  }));
}

function controlOf(property: Property): Pick<FieldSpec, 'control' | 'options'> {
  const { type, enum: values, items } = property;
  if (property.const !== undefined) return { control: 'flag', options: ['true'] };
  if (values !== undefined) return { control: 'choice', options: values.map(String) };
  if (type === 'boolean') return { control: 'flag', options: ['true', 'false'] };
  if (type === 'integer' || type === 'number') return { control: 'number', options: [] };
  if (type !== 'array') return { control: 'text', options: [] };
  return items?.enum === undefined
    ? { control: 'lines', options: [] }
    : { control: 'several', options: items.enum.map(String) };
}

const fallbackOf = (value: unknown): string =>
  Array.isArray(value) ? value.join(', ') : value === undefined ? '' : String(value);

const shortForms: Readonly<Record<string, string>> = {
  dn: 'DN',
  url: 'URL',
  urls: 'URLs',
  ca: 'CA',
  id: 'id',
  ids: 'ids',
  tls: 'TLS',
  ms: '(ms)',
};

/** `bindDn` is "Bind DN", and `timeoutMs` is "Timeout (ms)". */
function labelOf(setting: string): string {
  const words = setting
    .split(/(?=[A-Z])/)
    .map((word) => shortForms[word.toLowerCase()] ?? word.toLowerCase())
    .join(' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** The settings that were typed. An empty input leaves the setting out, so that its default counts. */
export const settingsTyped = (
  fields: readonly FieldSpec[],
  typed: Typed,
): Record<string, unknown> =>
  Object.fromEntries(
    fields.flatMap((field) => {
      const value = typedValue(field, typed);
      return value === undefined ? [] : [[field.setting, value]];
    }),
  );

function typedValue({ control, input, options }: FieldSpec, typed: Typed): unknown {
  const text = typed(input).trim();
  if (control === 'several') {
    const chosen = options.filter((option) => typed(`${input}-${option}`) !== '');
    return chosen.length === 0 ? undefined : chosen;
  }
  if (text === '') return undefined;
  if (control === 'flag') return text === 'true';
  if (control === 'number') return Number.isFinite(Number(text)) ? Number(text) : text;
  if (control === 'lines') return linesOf(text);
  return text;
}

const linesOf = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
