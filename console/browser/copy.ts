/** Copies a text of the page, such as a key that is shown once, when its button is pressed. */
const said = document.querySelector<HTMLElement>('#copied');

for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-copy]'))
  button.addEventListener(
    'click',
    () => void copy(document.querySelector(`#${button.dataset.copy}`)),
  );

/** A browser refuses outside https and localhost; then the text is selected, so that the user can copy it. */
async function copy(text: Element | null): Promise<void> {
  if (text === null || said === null) return;
  try {
    await navigator.clipboard.writeText(text.textContent ?? '');
    said.textContent = 'Copied.';
  } catch {
    document.getSelection()?.selectAllChildren(text);
    said.textContent = 'Selected. Press Ctrl+C to copy it.';
  }
}
