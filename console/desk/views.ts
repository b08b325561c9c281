import { type Html, html } from '../html';

/** The filters of a list, as its address has them. */
export type Query = Readonly<Record<string, string>>;

export interface View {
  readonly title: string;
  readonly filter: Query;
}

/** The views of a list that its readers open most. Each is an address, like every other view. */
export const viewList = (address: string, views: readonly View[], query: Query): Html =>
  html`<nav aria-label="Views"><ul class="views">${views.map(({ title, filter }) => {
    const text = textOf(filter);
    return html`<li><a href="${address}${text !== '' && `?${text}`}"${text === textOf(query) && html` aria-current="page"`}>${title}</a></li>`;
  })}</ul></nav>`;

/** The page of a list is no part of its view. */
const textOf = ({ cursor: _, ...filter }: Query): string =>
  new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== '')).toString();
