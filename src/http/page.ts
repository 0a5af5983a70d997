import { createHash } from 'node:crypto';
import { html, Markup } from './html';

/** The style of a page, and what a Content-Security-Policy calls it: no style but this text (CSP Level 3, hash sources). */
export interface Stylesheet {
  readonly css: string;
  readonly source: string;
}

const colours = `
:root {
  color-scheme: light dark;
  --ground: #f3f5f8; --sheet: #fff; --ink: #1a2130; --quiet: #515c6e; --line: #d3d9e3; --edge: #707b8e;
  --act: #1d5aa8; --on-act: #fff; --act-over: #164886; --act-pale: #eaf2fc; --wrong: #b3261e; --wrong-pale: #fdf0ef; --focus: #a65300;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161d; --sheet: #1b212b; --ink: #e8ecf3; --quiet: #adb7c7; --line: #343d4c; --edge: #8692a6;
    --act: #8dbcf8; --on-act: #0b1a2d; --act-over: #b1d1fb; --act-pale: #1c2f47; --wrong: #ff9d94; --wrong-pale: #3a2021; --focus: #ffb95c;
  }
}`;

const elements = `
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere;
}
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0 0 .75rem; }
a { color: var(--act); text-underline-offset: .15em; }
code { font: .875rem ui-monospace, monospace; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: .25rem; }
`;

/** What our pages have in common, followed by a page's own rules. */
export const stylesheet = (rules: string): Stylesheet => {
  const css = `${colours}${elements}${rules}`;
  return { css, source: `'sha256-${createHash('sha256').update(css).digest('base64')}'` };
};

/** The headers of a page without scripts. `formAction` is where its forms may lead (CSP Level 3, form-action). */
export const pageHeaders = ({ source }: Stylesheet, formAction: string) =>
  ({
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src ${source}; img-src data:; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  }) as const;

/** A whole page in English. `head` is what its head has beside the usual. */
export const pageOf = (title: string, style: Stylesheet, body: Markup, head: Markup | null = null): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${head}<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(style.css)}</style>
</head>
<body>
${body}
</body>
</html>
`.source;
