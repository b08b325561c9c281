import type { MasterKeys } from '../../model/api/master-keys';
import { keyStoreSays } from '../../model/key-store-problem';
import { type Html, html } from '../html';
import { cliCommand } from './shell';

/** The master keys, as `lockstep sso secret status` shows them. They are administered where they are. */
export const masterKeySection = ({ problems, keys }: MasterKeys): Html => {
  const unsaved = keys.filter(({ backedUp }) => backedUp === false);
  return html`<h2>Master keys</h2>
${problems.map((problem) => html`<p class="verdict bad">${keyStoreSays(problem)}</p>`)}
${unsaved.length > 0 && html`<p class="verdict bad">${unsaved.length === 1 ? 'A master key has' : `${unsaved.length} master keys have`} no backup. If the key is lost, the credentials that it seals are lost. ${cliCommand('lockstep sso secret backup master-keys.backup')}</p>`}
${keys.length === 0 ? html`<p>No worker reports a master key.</p>` : keyTable(keys)}
${rotation(keys)}
<p class="hint">Run these commands on the machine of the worker. ${cliCommand('lockstep sso secret status')}</p>`;
};

const keyTable = (keys: MasterKeys['keys']): Html =>
  html`<div class="scroll"><table class="cards"><caption class="sr">Master keys</caption><thead><tr><th scope="col">Master key</th><th scope="col">Use</th><th scope="col">Backup</th><th scope="col">Credentials</th></tr></thead><tbody>${keys.map(
    ({ id, current, backedUp, credentials }) =>
      html`<tr><th scope="row">${id}</th><td data-label="Use"><span class="tag ${current ? 'good' : 'off'}">${current ? 'in use' : 'older'}</span></td>
<td data-label="Backup">${backedUp === null ? 'not known' : html`<span class="tag ${backedUp ? 'good' : 'bad'}">${backedUp ? 'yes' : 'no'}</span>`}</td><td class="number" data-label="Credentials">${credentials}</td></tr>`,
  )}</tbody></table></div>`;

/** How far a rotation is: how many credentials the current key seals already. */
function rotation(keys: MasterKeys['keys']): Html | false {
  const all = keys.reduce((sum, { credentials }) => sum + credentials, 0);
  const current = keys.find((key) => key.current);
  if (current === undefined || all === 0 || current.credentials === all) return false;
  const says = `${current.credentials} of ${all} credentials are sealed by the key in use.`;
  return html`<p><label>${says}<br><progress max="${all}" value="${current.credentials}"></progress></label></p>
<p>The older keys are still needed for the others. ${cliCommand('lockstep sso secret rotate')}</p>`;
}
