import { html, Markup } from '../../../http/html';
import { type DevelopmentPerson, describePerson } from '../../issuer/development-people';
import type { Example } from './examples';

const groupsOf = (examples: readonly Example[]): readonly string[] => [...new Set(examples.map(({ group }) => group))];

/** The page: a bar of people, a list of examples, and below it GraphiQL. Everything it loads comes from this server. */
export const explorerPage = (
  people: readonly DevelopmentPerson[],
  examples: readonly Example[],
  { version, hasDemoProvider }: { readonly version: string; readonly hasDemoProvider: boolean },
): string => {
  const buttons = people.map((person) => {
    const { user } = person;
    return html`<button type="button" data-user="${user}" aria-pressed="false"><b>${user}</b> <span>${describePerson(person)}</span></button>`;
  });
  const options = groupsOf(examples).map((group) => {
    const own = examples.filter((example) => example.group === group);
    return html`<optgroup label="${group}">${own.map(({ key, label }) => html`<option value="${key}">${label}</option>`)}</optgroup>`;
  });
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Counterfoil explorer (development)</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/explorer/graphiql.css?${version}">
<link rel="stylesheet" href="/explorer/page.css?${version}">
<script defer src="/explorer/page.js?${version}"></script>
<script defer src="/explorer/graphiql.js?${version}"></script>
</head>
<body>
<header class="bar">
<h1>Counterfoil <small>development</small></h1>
<div class="people" role="group" aria-label="Run the query as">${buttons}</div>
<label class="factor"><input type="checkbox" id="factor" checked> second factor</label>
<label class="example">Example <select id="example">${options}</select></label>
<a href="/">Console</a>
<a href="/development/mail">Mail and codes</a>${
    hasDemoProvider
      ? html`
<a href="/development/provider">Demo provider</a>`
      : null
  }
<p id="status" role="status">Signing in…</p>
</header>
<main id="graphiql" aria-label="Query editor and answer"></main>
<noscript>This page needs JavaScript; the graph itself is at POST /graphql.</noscript>
<script type="application/json" id="settings">${new Markup(JSON.stringify({ examples, version }).replace(/</g, '\\u003c'))}</script>
</body>
</html>
`.source;
};

export const pageStyle = `
html, body { height: 100%; margin: 0; }
body { display: flex; flex-direction: column; font: 14px/1.4 system-ui, sans-serif; color: #1d2433; background: #fff; }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 14px; padding: 8px 14px; background: #eef1f7; border-bottom: 1px solid #c5cddd; }
.bar h1 { margin: 0; font-size: 16px; }
.bar h1 small { font-weight: normal; color: #8a3b00; }
.people { display: flex; flex-wrap: wrap; gap: 4px; }
.people button { font: inherit; padding: 3px 9px; border: 1px solid #9aa6bd; border-radius: 5px; background: #fff; color: inherit; cursor: pointer; }
.people button span { color: #515c72; font-size: 12px; }
.people button:hover { border-color: #2447a8; }
.people button[aria-pressed="true"] { background: #2447a8; border-color: #2447a8; color: #fff; }
.people button[aria-pressed="true"] span { color: #dfe6fa; }
.bar :focus-visible { outline: 3px solid #e08a00; outline-offset: 1px; }
.factor { white-space: nowrap; }
.example { flex: 1 1 320px; display: flex; gap: 6px; align-items: center; min-width: 0; }
.bar a { color: #2447a8; white-space: nowrap; }
.example select { font: inherit; flex: 1; min-width: 0; padding: 3px; }
#status { margin: 0; flex-basis: 100%; color: #3b4559; }
#status.failed { color: #a40000; font-weight: 600; }
#graphiql { flex: 1; min-height: 0; }
#graphiql .graphiql-container { height: 100%; }
`;

/** Runs in the browser, before GraphiQL's own script. Plain, as it is sent as it stands. */
export const pageScript = `'use strict';
(() => {
  const settings = JSON.parse(document.getElementById('settings').textContent);
  const status = document.getElementById('status');
  const factor = document.getElementById('factor');
  const chooser = document.getElementById('example');
  const buttons = [...document.querySelectorAll('[data-user]')];
  const address = new URL(location.href);

  // The editor's workers come from here too; by default it would build them out of strings.
  const workers = { json: 'json', graphql: 'graphql', editorWorkerService: 'editor' };
  self.MonacoEnvironment = {
    globalAPI: false,
    getWorkerUrl: (_module, label) => '/explorer/' + (workers[label] || 'editor') + '.worker.js?' + settings.version,
  };

  let session = null;

  const chosen = settings.examples.find((example) => example.key === address.searchParams.get('example')) || settings.examples[0];
  const changes = /^mutation /m.test(chosen.query);

  // The latest id of each kind that an answer held, by its prefix, for as long as this tab is open.
  const remembered = JSON.parse(sessionStorage.getItem('counterfoil:ids') || '{}');
  const remember = (answer) => {
    const first = {};
    const look = (value) => {
      if (typeof value === 'string') {
        const [, prefix] = /^([a-z]{2,3})_[0-9A-HJKMNP-TV-Z]{26}$/.exec(value) || [];
        if (prefix && !first[prefix]) first[prefix] = value;
      } else if (value && typeof value === 'object') Object.values(value).forEach(look);
    };
    look(answer.data);
    // Ids that are used together are of one ticket.
    if (first.tkt) for (const prefix of ['pm', 'cus']) delete remembered[prefix];
    sessionStorage.setItem('counterfoil:ids', JSON.stringify(Object.assign(remembered, first)));
  };

  const missing = [];
  const filled = (name, value) => {
    if (typeof value === 'string') return value;
    if (value.fill === 'key') return 'explorer-' + crypto.randomUUID();
    if (value.fill === 'time') return new Date(Date.now() - value.daysAgo * 86400000).toISOString();
    if (!remembered[value.prefix]) missing.push(name);
    return remembered[value.prefix] || value.prefix + '_…';
  };
  const variables = Object.fromEntries(Object.entries(chosen.variables).map(([name, value]) => [name, filled(name, value)]));
  const runsByItself = !changes && missing.length === 0;

  const advice = () => {
    const followed = settings.examples.find((example) => example.key === chosen.follows);
    if (missing.length > 0) return 'Run “' + (followed || settings.examples[0]).label.split(':')[0] + '” first: its answer has ' + missing.join(' and ') + '. ';
    if (changes) return 'This changes something: look at it, then press ▶. ';
    return '';
  };

  const say = (text, failed) => {
    status.textContent = text;
    status.classList.toggle('failed', Boolean(failed));
  };

  const signIn = async (user) => {
    const response = await fetch('/development/token', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user, mfa: factor.checked }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.errors[0].message + ' ' + (answer.errors[0].extensions.remedy || ''));
    session = { user, mfa: factor.checked, token: answer.token, expiresAt: Date.parse(answer.expiresAt) };
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.user === user));
    const until = new Date(session.expiresAt).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    say(advice() + 'Asking as ' + user + ', ' + (session.mfa ? 'with' : 'without') + ' a second factor, with a token until ' + until + ' (the next comes by itself).' + (runsByItself ? ' Click a person to run the query as that person.' : ''));
    return session;
  };

  const signedIn = async () => {
    // Some seconds before the end, so that no request dies on its way.
    if (session && session.expiresAt - Date.now() > 15000) return session;
    return signIn(session ? session.user : buttons[0].dataset.user);
  };

  const ask = async ({ query, operationName, variables }) => {
    const { token } = await signedIn();
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer ' + token },
      body: JSON.stringify({ query, operationName, variables }),
    });
    const answer = await response.json();
    if (answer.data) remember(answer);
    return answer;
  };

  const run = () => {
    const button = document.querySelector('.graphiql-execute-button');
    if (button) button.click();
    return Boolean(button);
  };

  // The editor comes in pieces; the button is there once a query can be sent.
  const runOnceReady = () => {
    const waiting = setInterval(() => {
      if (document.querySelector('.graphiql-query-editor .view-line') && run()) clearInterval(waiting);
    }, 100);
    setTimeout(() => clearInterval(waiting), 20000);
  };

  const attempt = (work) => work().catch((error) => say(String(error.message || error), true));

  for (const button of buttons) {
    button.addEventListener('click', () => attempt(async () => {
      await signIn(button.dataset.user);
      if (runsByItself) run();
    }));
  }
  factor.addEventListener('change', () => attempt(async () => {
    if (session) await signIn(session.user);
    if (runsByItself) run();
  }));

  chooser.value = chosen.key;
  chooser.addEventListener('change', () => {
    const { key, people } = settings.examples.find((example) => example.key === chooser.value);
    address.searchParams.set('example', key);
    address.searchParams.set('as', session && people.includes(session.user) ? session.user : people[0]);
    // GraphiQL takes a query when it begins; the page itself is in the browser's cache.
    location.assign(address);
  });

  document.addEventListener('DOMContentLoaded', () => attempt(async () => {
    const asked = buttons.find((button) => button.dataset.user === address.searchParams.get('as'));
    await signIn((asked || buttons[0]).dataset.user);
    YogaGraphiQL.renderYogaGraphiQL(document.getElementById('graphiql'), {
      title: 'GraphiQL',
      logo: '<span></span>',
      fetcher: ask,
      query: chosen.query,
      variables: JSON.stringify(variables, null, 2),
      isHeadersEditorEnabled: false,
      shouldPersistHeaders: false,
      storage: sessionStorage,
      forcedTheme: 'light',
      // It would write every query into the address, and so into the browser's history.
      onEditQuery: () => {},
    });
    if (asked && runsByItself) runOnceReady();
  }));
})();
`;
