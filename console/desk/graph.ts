import { html } from '../html';
import { cliCommand, type Desk, deskPage } from './shell';

/** The picture of how passwords flow between the sources. */
export const graphPage = (desk: Desk): string =>
  deskPage(desk, {
    title: 'How passwords flow',
    address: '/console/graph',
    content: html`<div class="scroll" tabindex="0" role="region" aria-label="Picture"><img class="picture" src="/console/graph/picture" alt="The sources that passwords come from, the groups, and the sources that receive them. Configuration lists the same as text."></div>
<p class="hint">For attack paths, export the graph to BloodHound. ${cliCommand('lockstep graph --out bloodhound --schema')}</p>`,
  });
