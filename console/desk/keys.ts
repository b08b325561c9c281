import type { ApiKey, ApiKeyCreated, ApiKeyRotated } from '../../model/api/keys';
import { givenScopes, scopes } from '../../model/api/scopes';
import type { Sessions } from '../../model/api/sessions';
import { quoted } from '../../model/quoted';
import { type Html, html } from '../html';
import { choiceField, type Filled, textField } from './field-html';
import {
  cliCommand,
  clock,
  commandButton,
  type Desk,
  described,
  deskPage,
  withCommand,
} from './shell';

export const KEYS = '/console/keys';

export const keyAddress = (id: string): string => `${KEYS}/${encodeURIComponent(id)}`;

/** The API keys and the open sessions. */
export const keysPage = (
  desk: Desk,
  keys: readonly ApiKey[],
  sessions: Sessions['sessions'],
): string => {
  const valid = keys.filter(({ revokedAt }) => revokedAt === null);
  const revoked = keys.filter(({ revokedAt }) => revokedAt !== null);
  return deskPage(desk, {
    title: 'Keys and sessions',
    address: KEYS,
    content: html`<p><a class="button" href="${KEYS}/new">Make a key</a></p>
<h2>API keys</h2>${valid.length === 0 ? html`<p>There is no valid key. Programs need one to use the API; make one.</p>` : keyTable(valid, 'Valid API keys')}
${revoked.length > 0 && html`<details><summary>${revoked.length === 1 ? '1 revoked key' : `${revoked.length} revoked keys`}</summary>${keyTable(revoked, 'Revoked API keys')}</details>`}
<p class="hint">${cliCommand('lockstep keys list')}</p>
<h2>Open sessions</h2>${
      sessions.length === 0
        ? html`<p>There is none.</p>`
        : html`<ul>${sessions.map(({ id, keyName, createdAt, seenAt }) => html`<li>${keyName}, since ${clock(createdAt)}, last seen ${clock(seenAt)} ${commandButton(`/console/sessions/${id}/end`, 'End')}</li>`)}</ul>`
    }<p class="hint">A session that is ended has to sign in again. To end all sessions of a key, revoke the key.</p>`,
  });
};

const keyTable = (keys: readonly ApiKey[], caption: string): Html =>
  html`<div class="scroll"><table class="cards"><caption class="sr">${caption}</caption><thead><tr><th scope="col">Name</th><th scope="col">Scopes</th><th scope="col">Limits</th><th scope="col">Last used</th><th scope="col">State</th></tr></thead><tbody>${keys.map(
    (key) =>
      html`<tr><th scope="row"><a href="${keyAddress(key.id)}">${key.name}</a></th><td data-label="Scopes">${key.scopes.join(', ')}</td><td data-label="Limits">${limitsOf(key)}</td><td data-label="Last used">${key.lastUsedAt === null ? 'never' : clock(key.lastUsedAt)}</td><td data-label="State">${stateOf(key)}</td></tr>`,
  )}</tbody></table></div>`;

const limitsOf = ({ groups, source, identity, agent }: ApiKey): string =>
  [
    ...(groups === null ? [] : [`groups ${groups.join(', ')}`]),
    ...(source === null ? [] : [`source ${source}`]),
    ...(identity === null ? [] : [`person ${identity}`]),
    ...(agent === null ? [] : [`agent ${agent}`]),
  ].join('; ') || 'none';

const stateOf = ({ revokedAt, expiresAt }: ApiKey): string => {
  if (revokedAt !== null) return `revoked ${clock(revokedAt)}`;
  return expiresAt === null ? 'valid' : `valid until ${clock(expiresAt)}`;
};

/** One key: what it may do, and how to replace or revoke it. */
export const keyPage = (desk: Desk, key: ApiKey): string =>
  deskPage(desk, {
    title: `Key ${key.name}`,
    address: KEYS,
    content: html`<p>${stateOf(key)}. Made ${clock(key.createdAt)}, ${key.lastUsedAt === null ? 'never used' : `last used ${clock(key.lastUsedAt)}`}. Limits: ${limitsOf(key)}. <code>${key.id}</code></p>
<h2>What it may do</h2><ul>${key.scopes.map((scope) => html`<li><strong>${scope}</strong>: ${described(scopes[scope].may)}.</li>`)}</ul>
${key.revokedAt === null && changesOf(key)}<p><a href="${KEYS}">Keys and sessions</a></p>`,
  });

const changesOf = ({ id, name }: ApiKey): Html => html`<h2>Replace its secret</h2>
<p>The key gets a new secret, and keeps its rights and its waiting changes. The rights of a key never change; for others, make a new one and revoke this one.</p>
<form method="post" action="${keyAddress(id)}/rotate" class="narrow"><p class="field"><label for="keep">The previous secret</label><select id="keep" name="keep"><option value="yes">works for another day</option><option value="no">ends now, because it has leaked</option></select></p>
<div class="tools"><button>Make a new secret</button>${cliCommand('lockstep keys rotate', id)}</div></form>
<h2>Revoke it</h2><p>From the next request on, the API refuses ${name}, and its sessions end. Waiting changes that it has requested end without the accounts that are not written by then. This cannot be undone.</p>
<div class="tools">${withCommand(commandButton(`${keyAddress(id)}/revoke`, `Revoke ${name}`), 'lockstep keys revoke', id)}</div>`;

/** Days after which a key ends, by the value of the choice. */
export const lifetimes: Readonly<Record<string, number>> = {
  day: 1,
  month: 30,
  quarter: 90,
  year: 365,
};

/** What the form of a key calls its fields. */
export const fieldsOfKey: Readonly<Record<string, string>> = {
  name: 'Name',
  scopes: 'Scopes',
  groups: 'Groups',
  agent: 'Agent',
  source: 'Source',
  identity: 'Person',
};

export interface KeyForm extends Filled {
  readonly groups: readonly string[];
  readonly sources: readonly string[];
}

/** The form that makes a key. */
export const newKeyPage = (desk: Desk, form: KeyForm): string =>
  deskPage(desk, {
    title: 'Make a key',
    address: KEYS,
    content: html`<p class="intro">A key is for one program or one member of the staff. Give it only what it needs.</p>
${problemsOf(form)}
<form method="post" action="${KEYS}/new" class="narrow">
${textField({ input: 'name', label: 'Name', says: 'What the key is for. The audit shows it.', required: true }, form, html` maxlength="100"`)}
<fieldset class="options" id="scopes"><legend>What it may do (scopes)</legend>${givenScopes.map((scope) => option(`scope:${scope}`, scope, sentence(scopes[scope].may), form))}</fieldset>
${choiceField(
  {
    input: 'expires',
    label: 'It ends',
    says: 'A key for relay-enrol ends after a day at the latest.',
  },
  form,
  [
    ['quarter', 'after 90 days'],
    ['day', 'after a day'],
    ['month', 'after 30 days'],
    ['year', 'after 365 days'],
    ['never', 'never'],
  ],
)}
<h2>Limits</h2>
${form.groups.length > 0 && html`<fieldset class="options" id="groups"><legend>Only these groups</legend><p><small>Without a choice: all groups. Not for every scope.</small></p>${form.groups.map((group) => option(`group:${group}`, group, '', form))}</fieldset>`}
${textField({ input: 'agent', label: 'Agent', says: 'The member of the staff who uses the key. Needed for help-desk, so that the audit names them.' }, form, html` maxlength="100"`)}
${choiceField({ input: 'source', label: 'Only for the source', says: 'Needed for relay-enrol and adapter, and only for these.' }, form, [['', 'every source'], ...form.sources.map((name) => [name, name] as const)])}
${textField({ input: 'identity', label: 'Only for the person', says: 'Needed for person and lookup, possible for change-own.' }, form)}
<div class="tools"><button class="primary">Make the key</button>${cliCommand('lockstep keys create NAME --scope SCOPE --expires 90d')}</div></form>
<p><a href="${KEYS}">Keys and sessions</a></p>`,
  });

const problemsOf = ({ problems }: KeyForm): Html | false => {
  const all = Object.entries(problems);
  return (
    all.length > 0 &&
    html`<div class="problem" role="alert"><h2>No key was made</h2><ul>${all.map(([input, says]) => html`<li><a href="#${input}">${says}</a></li>`)}</ul></div>`
  );
};

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const option = (name: string, title: string, says: string, { typed }: Filled): Html =>
  html`<p><label><input type="checkbox" name="${name}" value="yes"${typed(name) === 'yes' && html` checked`}${says !== '' && html` aria-describedby="${name}-says"`}>${title}</label>${says !== '' && html`<br><small id="${name}-says">${described(says)}</small>`}</p>`;

interface MadeKey
  extends Pick<ApiKey, 'name' | 'scopes' | 'groups' | 'agent' | 'source' | 'identity'> {
  /** Such as `90d`; null for a key that does not end. */
  readonly lifetime: string | null;
}

/** The new key. It is shown only here. */
export const madeKeyPage = (desk: Desk, wanted: MadeKey, { id, key }: ApiKeyCreated): string =>
  deskPage(desk, {
    title: `Key ${wanted.name}`,
    address: KEYS,
    script: 'copy',
    content: html`${secretOf(key, 'The key is made. Save it now: it is not shown again.')}
<p class="hint">${cliCommand(commandOf(wanted))}</p>
<p><a href="${keyAddress(id)}">What the key may do</a></p>`,
  });

export const rotatedKeyPage = (
  desk: Desk,
  { id, name }: ApiKey,
  { key, previousUntil }: ApiKeyRotated,
): string =>
  deskPage(desk, {
    title: `Key ${name}`,
    address: KEYS,
    script: 'copy',
    content: html`${secretOf(key, 'The key has a new secret. Save it now: it is not shown again.')}
<p>${previousUntil > desk.now ? `The previous secret works until ${clock(previousUntil)}.` : 'The previous secret does not work any more.'}</p>
<p><a href="${keyAddress(id)}">What the key may do</a></p>`,
  });

const secretOf = (key: string, says: string): Html =>
  html`<p class="verdict good" role="status">${says}</p>
<p><code class="sample" id="secret">${key}</code></p>
<p class="needs-script"><button type="button" data-copy="secret">Copy the key</button> <span role="status" id="copied"></span></p>`;

/** The command that makes the same key. */
const commandOf = ({ name, scopes: wanted, groups, agent, source, identity, lifetime }: MadeKey) =>
  [
    `lockstep keys create ${quoted(name)} --scope ${wanted.join(',')}`,
    ...(groups === null ? [] : [`--group ${groups.map(quoted).join(',')}`]),
    ...(lifetime === null ? [] : [`--expires ${lifetime}`]),
    ...(agent === null ? [] : [`--agent ${quoted(agent)}`]),
    ...(source === null ? [] : [`--source ${quoted(source)}`]),
    ...(identity === null ? [] : [`--identity ${quoted(identity)}`]),
  ].join(' ');
