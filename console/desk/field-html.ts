import { type Html, html, inline } from '../html';
import type { FieldSpec, Typed } from './form-fields';

/** The inputs of a form. What was typed stays, and each problem is next to its input. */
export interface Filled {
  readonly typed: Typed;
  /** What is wrong, by the name of the input. */
  readonly problems: Readonly<Record<string, string>>;
}

interface Labelled {
  readonly input: string;
  readonly label: string;
  /** The help; empty if the label says enough. */
  readonly says: string | Html;
  readonly required?: boolean;
  /** True if the label does not show whether the field is optional, because its help or its choices do. */
  readonly unmarked?: boolean;
}

/** A label, its control, the help and the problem. The control gets the attributes that connect it with the texts. */
export const labelled = (
  { input, label, says, required = false, unmarked = false }: Labelled,
  { problems }: Filled,
  control: (attributes: Html) => Html,
): Html => {
  const problem = Object.hasOwn(problems, input) ? problems[input] : undefined;
  const texts = [
    ...(says === '' ? [] : [`${input}-says`]),
    ...(problem === undefined ? [] : [`${input}-problem`]),
  ];
  const attributes = html` id="${input}" name="${input}"${texts.length > 0 && html` aria-describedby="${texts.join(' ')}"`}${problem !== undefined && html` aria-invalid="true"`}${required && html` required`}`;
  return html`<p class="field"><label for="${input}">${label}${!required && !unmarked && html` <small>optional</small>`}</label>${control(attributes)}
${problem !== undefined && html`<strong class="wrong" id="${input}-problem">${problem}</strong>`}
${says !== '' && html`<small class="hint" id="${input}-says">${says}</small>`}</p>`;
};

export const textField = (field: Labelled, filled: Filled, more: Html | null = null): Html =>
  labelled(
    field,
    filled,
    (attributes) =>
      html`<input${attributes} value="${filled.typed(field.input)}" autocomplete="off" autocapitalize="none" spellcheck="false" data-1p-ignore${more}>`,
  );

export const choiceField = (
  field: Labelled,
  filled: Filled,
  options: readonly (readonly [value: string, title: string])[],
): Html =>
  labelled(
    { ...field, unmarked: true },
    filled,
    (attributes) =>
      html`<select${attributes}>${options.map(([value, title]) => html`<option value="${value}"${filled.typed(field.input) === value && html` selected`}>${title}</option>`)}</select>`,
  );

/** The input of a setting. A browser sends no form with a secret that is not a reference. */
export function settingField(spec: FieldSpec, filled: Filled, secretHelp: string): Html {
  const { input, label, required, control, options, fallback, secret, setting } = spec;
  const says = html`${inline(spec.says)}${fallback !== '' && ` Default: ${fallback}.`}${secret && ` ${secretHelp}`}${secret && filled.typed(input) !== '' && html` Typed: <code>${filled.typed(input)}</code>.`} <code>${setting}</code>`;
  const field = { input, label, says, required, unmarked: secret };
  switch (control) {
    case 'flag':
      return choiceField(field, filled, [
        ['', 'default'],
        ...options.map((one) => [one, one === 'true' ? 'yes' : 'no'] as const),
      ]);
    case 'choice':
      return choiceField(field, filled, [
        ['', required ? 'Choose' : 'default'],
        ...options.map((one) => [one, one] as const),
      ]);
    case 'lines':
      return labelled(
        { ...field, says: html`One on each line. ${says}` },
        filled,
        (attributes) =>
          html`<textarea${attributes} rows="3" spellcheck="false">${filled.typed(input)}</textarea>`,
      );
    case 'several':
      return html`<fieldset class="field options"><legend>${label} <small>optional</small></legend><small class="hint">${says}</small>${options.map(
        (one) =>
          html`<label><input type="checkbox" name="${input}-${one}" value="1"${filled.typed(`${input}-${one}`) !== '' && html` checked`}> ${one}</label>`,
      )}</fieldset>`;
    case 'number':
      return textField(field, filled, html` inputmode="numeric"`);
    case 'text':
      return textField(
        field,
        filled,
        secret
          ? html` type="password" placeholder="\${file:crm}" pattern="${REFERENCE}" title="A reference, such as \${file:crm}, never the secret itself"`
          : null,
      );
  }
}

/** The form of a reference to a secret, for the attribute `pattern`. */
const REFERENCE = '\\$\\{(file|env):[^\\}]+\\}';
