import { adapterProperties, type PullSettings, pullSettings } from '../../model/adapters/settings';
import { type Html, html } from '../html';
import { EDIT } from './edit';
import { cliCommand, described } from './shell';

/** The form for the properties of an adapter that pulls. An empty number is the default. */
export const propertiesForm = (source: string, properties: PullSettings): Html =>
  html`<h2>Properties</h2><form method="post" action="${EDIT}" class="narrow"><input type="hidden" name="edit" value="properties"><input type="hidden" name="name" value="${source}">
${adapterProperties.map((name) => property(name, properties[name]))}
<div class="tools"><button>Show what would change</button>${cliCommand(`lockstep adapters set-props ${source} --set …`)}</div></form>`;

function property(
  name: (typeof adapterProperties)[number],
  value: number | boolean | undefined,
): Html {
  const says = pullSettings.shape[name].description ?? '';
  return html`<p class="field"><label for="${name}">${name}</label>${typeof value === 'boolean' ? yesNo(name, value) : html`<input id="${name}" name="${name}" inputmode="numeric" pattern="[0-9]*" value="${value ?? ''}" autocomplete="off" aria-describedby="${name}-says">`}
<small id="${name}-says">${described(says)}</small></p>`;
}

const yesNo = (name: string, value: boolean): Html =>
  html`<select id="${name}" name="${name}" aria-describedby="${name}-says">${['yes', 'no'].map((option) => html`<option${value === (option === 'yes') && html` selected`}>${option}</option>`)}</select>`;
