import { type Html, html } from './html';

/** The addresses of the files that pages load; each changes with the content of its file. */
export interface Assets {
  readonly style: string;
  readonly change: string;
  readonly live: string;
  readonly link: string;
  readonly copy: string;
}

interface Page {
  readonly lang: string;
  readonly title: string;
  readonly assets: Assets;
  readonly script?: keyof Assets;
  readonly header: Html;
  readonly main: Html;
  /** Seconds after which a browser without JavaScript loads the page again. */
  readonly refreshSeconds?: number | undefined;
}

/** A whole page. It works without its script. */
export const page = ({ lang, title, assets, script, header, main, refreshSeconds }: Page): string =>
  `<!doctype html>${
    html`<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refreshSeconds !== undefined && html`<noscript><meta http-equiv="refresh" content="${refreshSeconds}"></noscript>`}
<title>${title}</title>
<link rel="stylesheet" href="${assets.style}">
<link rel="icon" href="data:,">
${script !== undefined && html`<script src="${assets[script]}" defer></script>`}
</head>
<body>
<header>${header}</header>
<main id="main">${main}</main>
</body>
</html>`.html
  }`;
