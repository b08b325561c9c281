/**
 * Takes the code of a one-time link from the fragment of the address, and removes it there, so that neither the history
 * nor the next page has it.
 */
const form = document.querySelector<HTMLFormElement>('#link');
const code = document.querySelector<HTMLInputElement>('#code');

function enter(): void {
  const given = location.hash.slice(1);
  if (form === null || code === null || given === '') return;
  history.replaceState(null, '', location.pathname + location.search);
  code.value = given;
  form.requestSubmit();
}

// The link may be opened while the page is shown.
addEventListener('hashchange', enter);
enter();
