import type { GroupRules } from '../../model/api/password-rules';
import { brokenRules, nothingKnown } from '../../model/policy/checks';
import type { PolicyRules } from '../../model/policy/presets';
import { limitsBroken } from '../../model/policy/target-limits';

/**
 * Ticks the rules while a person types. It runs the functions that enforce the rules in the api, and sends nothing while
 * they are not met, so that no first part of a password leaves the browser.
 */

const form = document.querySelector<HTMLFormElement>('#change');
const next = document.querySelector<HTMLInputElement>('#next');
const rules = document.querySelector<HTMLElement>('#rules');

function start(form: HTMLFormElement, next: HTMLInputElement, rules: HTMLElement): void {
  const groups: readonly GroupRules[] = JSON.parse(form.dataset.groups ?? '[]');
  const list = [...rules.querySelectorAll('li')];
  const name = form.querySelector<HTMLInputElement>('#username');
  const summary = form.querySelector('#summary');
  let asking: ReturnType<typeof setTimeout> | undefined;

  const brokenBy = (password: string): Set<string> => brokenIn(groups, password, name?.value ?? '');
  const showRules = (): void => {
    const typed = next.value !== '';
    const broken = typed ? brokenBy(next.value) : new Set<string>();
    for (const row of list) {
      const { rule = '', source = '', checked } = row.dataset;
      if (checked !== 'here') setState(row, rules, 'later');
      else setState(row, rules, typed ? (broken.has(`${rule} ${source}`) ? 'unmet' : 'met') : '');
    }
    if (summary !== null && typed)
      setText(
        summary,
        broken.size === 0
          ? (form.dataset.allMet ?? '')
          : (form.dataset.someUnmet ?? '').replace('{n}', String(broken.size)),
      );
    clearTimeout(asking);
    const lists = list.find((row) => row.dataset.rule === 'lists');
    if (typed && broken.size === 0 && lists !== undefined)
      asking = setTimeout(() => void ask(lists), 600);
  };
  /** Asks the api once about what only it can check. */
  const ask = async (row: HTMLElement): Promise<void> => {
    const asked = next.value;
    const body = new URLSearchParams({ next: asked, group: groups[0]?.name ?? '' });
    const answer = await fetch(form.dataset.check ?? '', { method: 'POST', body }).catch(
      () => null,
    );
    if (answer?.ok !== true || next.value !== asked) return;
    const { broken }: { broken: readonly string[] } = await answer.json();
    const lists = ['dictionary', 'blocklist', 'minStrength'];
    setState(row, rules, broken.some((rule) => lists.includes(rule)) ? 'unmet' : 'met');
  };
  next.addEventListener('input', showRules);
  name?.addEventListener('input', showRules);
  offerToShow(form, next);
  offerSuggestion(form, next, (password) => brokenBy(password).size === 0);
  form.addEventListener('submit', () => {
    next.type = 'password';
  });
  showRules();
}

/** The broken rules, as `rule source`; the source is empty for a rule of a policy. */
function brokenIn(groups: readonly GroupRules[], password: string, name: string): Set<string> {
  const points = Uint32Array.from(
    [...password.replace(/\p{Zs}/gu, ' ').normalize('NFC')],
    (character) => character.codePointAt(0) ?? 0,
  );
  const broken = new Set<string>();
  for (const group of groups) {
    const policy: PolicyRules = { ...group.rules, dictionary: null, blocklist: null };
    const known = { ...nothingKnown, identity: name === '' ? [] : [name] };
    for (const { rule } of brokenRules(policy, points, known)) broken.add(`${rule} `);
    for (const { source, policies } of group.sources)
      for (const limit of policies.length === 1 && policies[0]
        ? limitsBroken(policies[0], points)
        : [])
        broken.add(`${limit} ${source}`);
  }
  points.fill(0);
  return broken;
}

function setState(
  row: HTMLElement,
  rules: HTMLElement,
  state: 'met' | 'unmet' | 'later' | '',
): void {
  row.dataset.state = state;
  const says = state === '' ? '' : (rules.dataset[state] ?? '');
  const place = row.querySelector('.state');
  if (place !== null) setText(place, says);
}

/** Writes only what differs, because a screen reader announces each write. */
function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function offerToShow(form: HTMLFormElement, next: HTMLInputElement): void {
  const button = form.querySelector<HTMLButtonElement>('#show');
  const status = form.querySelector('#shown');
  if (button === null || status === null) return;
  const set = (visible: boolean): void => {
    next.type = visible ? 'text' : 'password';
    button.textContent = (visible ? button.dataset.hide : button.dataset.show) ?? '';
    setText(status, (visible ? button.dataset.shown : button.dataset.hidden) ?? '');
  };
  button.hidden = false;
  button.addEventListener('click', () => set(next.type === 'password'));
}

function offerSuggestion(
  form: HTMLFormElement,
  next: HTMLInputElement,
  fits: (password: string) => boolean,
): void {
  const button = form.querySelector<HTMLButtonElement>('#suggest');
  const found = suggestion(fits);
  if (button === null || found === null) return;
  button.hidden = false;
  button.addEventListener('click', () => {
    next.value = suggestion(fits) ?? found;
    if (next.type === 'password') form.querySelector<HTMLButtonElement>('#show')?.click();
    next.dispatchEvent(new Event('input'));
    const status = form.querySelector('#shown');
    if (status !== null) setText(status, button.dataset.says ?? '');
    next.focus();
  });
}

const LOWER = 'abcdefghijkmnpqrstuvwxyz';
const UPPER = 'ABCDEFGHJKLMNPQRSTUVWXYZ';
const DIGITS = '23456789';

/** A random password that every rule accepts, the longest first; null if none of the forms that are tried fits. */
function suggestion(fits: (password: string) => boolean): string | null {
  for (const separator of ['-', '.', '_', ''])
    for (const blocks of [5, 6, 8, 10, 4, 3, 2]) {
      const password = Array.from({ length: blocks }, block).join(separator);
      if (fits(password)) return password;
    }
  return null;
}

const block = (): string => one(LOWER) + one(LOWER) + one(LOWER) + one(DIGITS) + one(UPPER);

/** A random character. Values above the last multiple of the length are drawn again, so that all are equally likely. */
function one(set: string): string {
  const [value = 0] = crypto.getRandomValues(new Uint8Array(1));
  return value < 256 - (256 % set.length) ? (set[value % set.length] ?? '') : one(set);
}

if (form !== null && next !== null && rules !== null) start(form, next, rules);
