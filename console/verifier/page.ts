import { jsonOf, shown } from '../../src/audit/verdict-text';
import type { Told, Work } from './worker';

/* The page of the single file: what was chosen goes to the worker, what it found into the page, as text. */

const byId = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;

const form = byId<HTMLFormElement>('form');
const files = byId<HTMLInputElement>('files');
const drop = byId('drop');
const chosen = byId('chosen');
const keys = byId<HTMLTextAreaElement>('keys');
const since = byId<HTMLTextAreaElement>('since');
const witnesses = byId<HTMLTextAreaElement>('witnesses');
const strict = byId<HTMLInputElement>('strict');
const start = byId<HTMLButtonElement>('start');
const progress = byId<HTMLProgressElement>('progress');
const result = byId('result');

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}
const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
const ownScripts = policies?.createPolicy('counterfoil-verifier', { createScriptURL: (url) => url });

const address = URL.createObjectURL(new Blob([byId('worker').textContent ?? ''], { type: 'text/javascript' }));
const open = (): Worker => new Worker(ownScripts?.createScriptURL(address) ?? address);

let given: readonly File[] = [];

/** What is to be verified: a CSV file needs its manifest beside it. */
const choice = (): { readonly export: File; readonly csv: File | null } | string => {
  const csv = given.filter(({ name }) => /\.csv$/i.test(name));
  const exports = given.filter((file) => !csv.includes(file));
  if (given.length === 0) return 'Choose an export first.';
  if (csv.length > 1 || exports.length > 1) return 'Choose one export, or one CSV file and its manifest.';
  const [file] = exports;
  if (!file) return 'Choose the manifest of the CSV file too: its name ends in .csv.manifest.ndjson, and it lies beside it.';
  return { export: file, csv: csv[0] ?? null };
};

const element = (name: string, text: string, className = ''): HTMLElement => {
  const made = document.createElement(name);
  made.textContent = text;
  if (className !== '') made.className = className;
  return made;
};

const list = (texts: readonly string[]): HTMLElement => {
  const made = document.createElement('ul');
  made.append(...texts.map((text) => element('li', text)));
  return made;
};

const show = (state: 'good' | 'bad' | 'none', title: string, ...parts: readonly HTMLElement[]): void => {
  const heading = element('h2', title);
  heading.tabIndex = -1;
  result.dataset.state = state;
  result.replaceChildren(heading, ...parts);
  result.hidden = false;
  heading.focus();
};

/** The worker that reads what was chosen, where one does. */
let working: Worker | null = null;
const stop = (): void => {
  working?.terminate();
  working = null;
  start.disabled = false;
  progress.hidden = true;
};

/** A verdict is of what was given for it: none stands, or is still to come, beside anything else. */
const forget = (): void => {
  stop();
  result.hidden = true;
  result.replaceChildren();
};
form.addEventListener('input', forget);
form.addEventListener('change', forget);

const named = ({ name, size }: File): string => `${shown(name)} (${new Intl.NumberFormat('en').format(size)} bytes)`;

const take = (list: FileList | null): void => {
  given = [...(list ?? [])];
  chosen.textContent = given.map(named).join(', ');
  forget();
};

files.addEventListener('change', () => take(files.files));
// A file that is dropped beside the field would otherwise take the page's place.
for (const kind of ['dragover', 'drop'] as const)
  window.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle('over', kind === 'dragover' && event.target instanceof Node && drop.contains(event.target));
    if (kind === 'drop' && event.dataTransfer && event.dataTransfer.files.length > 0) take(event.dataTransfer.files);
  });

/** Keys by name and hash, which is what they are told apart by. */
const keysIn = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => shown(/^[^+]*\+[0-9a-f]{8}/.exec(line)?.[0] ?? line))
    .join(', ');

/** What the verdict is of. */
const givenFor = (work: Work): readonly string[] => [
  `verified: ${[work.export, ...(work.csv ? [work.csv] : [])].map(named).join(' and ')}`,
  `by the public key of the log: ${keysIn(work.keys)}`,
  work.since.trim() === '' ? 'without a checkpoint that was kept' : 'against the checkpoint that you kept',
  work.witnesses.trim() === '' ? 'without a witness’s key' : `by the key of a witness: ${keysIn(work.witnesses)}`,
  ...(work.strict ? ['each leaf against every rule of its version'] : []),
];

const finish = (told: Exclude<Told, { kind: 'progress' }>, work: Work): void => {
  if (told.kind !== 'verified') {
    show('none', told.kind === 'refused' ? 'Nothing was verified' : 'It couldn’t be verified', element('p', told.message));
    return;
  }
  const { ok, statements, complaints, checkedTwice } = told.verified;
  const how =
    checkedTwice === null
      ? 'This browser’s WebCrypto can’t check Ed25519: the signatures were checked by this page alone.'
      : `${checkedTwice === 1 ? 'The signature was' : `${checkedTwice} signatures were`} also checked by this browser’s WebCrypto, which agrees.`;
  const details = document.createElement('details');
  details.append(element('summary', 'As JSON'), element('pre', jsonOf(told.verified.verdict, 2)));
  show(
    ok ? 'good' : 'bad',
    ok ? 'Nothing is wrong with it' : 'Not verified',
    ...(complaints.length > 0 ? [list(complaints)] : []),
    element('h3', 'What was given'),
    list(givenFor(work)),
    element('h3', ok ? 'What is shown, and what isn’t' : 'What was read'),
    list([...statements, how]),
    details,
  );
};

form.addEventListener('submit', (event) => {
  event.preventDefault();
  forget();
  const exported = choice();
  if (typeof exported === 'string') {
    show('none', 'Nothing was verified', element('p', exported));
    return;
  }
  const work: Work = {
    ...exported,
    keys: keys.value,
    since: since.value,
    witnesses: witnesses.value,
    strict: strict.checked,
  };
  start.disabled = true;
  progress.hidden = false;
  progress.value = 0;
  const worker = open();
  working = worker;
  const end = (told: Exclude<Told, { kind: 'progress' }>): void => {
    // What it sent before it was stopped may still come.
    if (working !== worker) return;
    stop();
    finish(told, work);
  };
  worker.onmessage = ({ data }: MessageEvent<Told>) => {
    if (working !== worker) return;
    if (data.kind === 'progress') progress.value = data.part;
    else end(data);
  };
  worker.onerror = () => end({ kind: 'failed', message: 'This browser doesn’t let a page from disk start its own worker.' });
  worker.postMessage(work);
});
