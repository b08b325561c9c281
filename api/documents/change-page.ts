/**
 * The page of one change. It contains nothing about the change: its script reads the change with the API key that the
 * person at the browser types, and keeps the key only until the page is left.
 */
export const changePageBody = (id: string): string => `<h1>${id}</h1>
    <p>
      <label>API key with the scope <code>read</code>:
        <input id="key" type="password" autocomplete="off" size="50" autofocus>
      </label>
      <button id="show" type="button">Show the change</button>
    </p>
    <p id="says" role="status"></p>
    <table id="accounts" hidden>
      <thead><tr><th>account</th><th>outcome</th><th>next attempt</th></tr></thead>
      <tbody></tbody>
    </table>
    <p>The same on a terminal:</p>
    <pre>lockstep status ${id} --watch</pre>
    <p><a href="../docs/">Reference of the API</a></p>
    <script src="../docs/change.js"></script>`;

/** Every text is set as text, so nothing that the API returns becomes markup. */
export const CHANGE_PAGE_SCRIPT = `'use strict';
const byId = (id) => document.getElementById(id);
const change = location.pathname.split('/').pop();

async function show() {
  const rows = byId('accounts').tBodies[0];
  rows.replaceChildren();
  byId('accounts').hidden = true;
  byId('says').textContent = 'The change is read.';
  try {
    const answer = await fetch('../v1/changes/' + change, {
      headers: { authorization: 'Bearer ' + byId('key').value.trim() },
    });
    const body = await answer.json();
    byId('says').textContent = answer.ok ? body.identity + ': ' + body.says : body.detail;
    for (const account of answer.ok ? body.accounts : []) {
      const row = rows.insertRow();
      const next = account.nextTryAt === null ? '' : new Date(account.nextTryAt).toLocaleString();
      for (const text of [account.label, account.says, next]) row.insertCell().textContent = text;
    }
    byId('accounts').hidden = rows.rows.length === 0;
  } catch {
    byId('says').textContent = 'The API cannot be reached, or the key has a character that no key has.';
  }
}

byId('show').addEventListener('click', show);
byId('key').addEventListener('keydown', (event) => {
  if (event.key === 'Enter') void show();
});
`;
