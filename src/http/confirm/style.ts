import { stylesheet } from '../page';

/** The only style of the page. */
export const style = stylesheet(`
header, main, footer { max-width: 40rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.25rem; padding-bottom: .75rem; font-size: 1.0625rem; font-weight: 650; }
main { background: var(--sheet); border: 1px solid var(--line); border-width: 1px 0; padding-top: 1.5rem; padding-bottom: 1.75rem; }
footer { padding-top: 1rem; padding-bottom: 2rem; color: var(--quiet); font-size: .9375rem; }
h1 { letter-spacing: -.01em; text-wrap: balance; }
h2 { margin: 0 0 .25rem; font-size: 1.0625rem; line-height: 1.35; }
p:last-child { margin-bottom: 0; }
a:hover { color: var(--act-over); }

.change { margin: 1.25rem 0; padding: 0; display: grid; gap: 1.75rem; }
.change > div { position: relative; border: 2px solid var(--line); border-radius: .625rem; padding: .875rem 1rem; }
.change > .after { border-color: var(--act); background: var(--act-pale); }
.change > .after::before {
  content: ""; position: absolute; top: calc(-.9rem - 2px); left: 50%; width: .6rem; height: .6rem;
  border: solid var(--quiet); border-width: 0 2.5px 2.5px 0; transform: translate(-50%, -60%) rotate(45deg);
}
.change dt { color: var(--quiet); font-size: .875rem; }
.change dd { margin: .125rem 0 0; font-size: 1.1875rem; font-weight: 600; line-height: 1.35; }

.payment { margin: 1.25rem 0; padding: .375rem 1rem; border: 2px solid var(--line); border-radius: .625rem; }
.payment > div { padding: .5rem 0; }
.payment > div + div { border-top: 1px solid var(--line); }
.payment dt { color: var(--quiet); font-size: .875rem; }
.payment dd { margin: 0; font-weight: 600; overflow: hidden; }
.payment > div:first-child dd { font-size: 1.375rem; line-height: 1.3; }

.facts { margin: 0 0 1.25rem; }
.facts > div { padding: .5rem 0; border-bottom: 1px solid var(--line); }
.facts dt { color: var(--quiet); font-size: .875rem; }
.facts dd { margin: 0; overflow: hidden; }

.care { border-left: 4px solid var(--edge); padding: .125rem 0 .125rem .875rem; margin: 0 0 1.25rem; }
.notice { border: 1px solid var(--act); background: var(--act-pale); border-radius: .625rem; padding: .75rem 1rem; margin: 0 0 1.25rem; }
.problems { border: 2px solid var(--wrong); background: var(--wrong-pale); border-radius: .625rem; padding: .875rem 1rem; margin: 0 0 1.25rem; }
.problems ul { margin: 0; padding-left: 1.25rem; }
.problems a, .problem { color: var(--wrong); font-weight: 600; }

fieldset { border: 0; margin: 0 0 1.25rem; padding: 0; min-width: 0; }
legend { padding: 0; margin: 0 0 .5rem; font-size: 1.0625rem; font-weight: 650; line-height: 1.35; }
.field { margin: 0 0 .875rem; }
.field label { display: block; font-weight: 600; }
.hint, .problem { margin: 0 0 .25rem; font-size: .9375rem; }
.hint { color: var(--quiet); }
input, select, button { font: inherit; color: inherit; }
input, select {
  width: 100%; min-height: 2.875rem; padding: .5rem .75rem; background: var(--sheet); border: 1px solid var(--edge); border-radius: .5rem;
}
.field .choice { display: flex; gap: .75rem; align-items: flex-start; min-height: 2.875rem; padding: .25rem 0; }
.choice input { flex: none; width: 1.5rem; min-height: 1.5rem; height: 1.5rem; margin: 0; accent-color: var(--act); }
[aria-invalid="true"] { border: 2px solid var(--wrong); }
.code { max-width: 12rem; font-size: 1.25rem; letter-spacing: .15em; font-variant-numeric: tabular-nums; }
.short { max-width: 14rem; }

.answers { display: grid; gap: .75rem; margin-top: 1.5rem; }
.together { white-space: nowrap; }
button, .button {
  display: block; width: 100%; min-height: 3rem; padding: .6875rem 1rem; border: 2px solid var(--act); border-radius: .5rem;
  background: var(--act); color: var(--on-act); font-weight: 650; line-height: 1.35; text-align: center; text-decoration: none; cursor: pointer;
}
button:hover, .button:hover { background: var(--act-over); border-color: var(--act-over); color: var(--on-act); }
button.other { background: var(--sheet); color: var(--ink); border-color: var(--edge); }
button.other:hover { background: var(--ground); border-color: var(--ink); }
.again { margin-top: 1.25rem; padding-top: 1rem; border-top: 1px solid var(--line); }
.again button { width: auto; min-height: 2.75rem; padding: .5rem 1rem; font-weight: 600; }

@media (min-width: 36rem) {
  header { padding-top: 2.25rem; }
  header, footer { padding-left: 2rem; padding-right: 2rem; }
  main { border-width: 1px; border-radius: .875rem; padding: 2rem; }
  h1 { font-size: 1.75rem; }
  .change { grid-template-columns: 1fr 1fr; gap: 2.5rem; }
  .change > .after::before {
    top: 50%; left: calc(-1.25rem - 2px); transform: translate(-65%, -50%) rotate(-45deg);
  }
  .payment > div { display: grid; grid-template-columns: 9rem 1fr; gap: 1rem; align-items: baseline; }
  .payment dt { font-size: 1rem; }
  .facts > div { display: grid; grid-template-columns: 10rem 1fr; gap: 1rem; }
  .facts dt { font-size: 1rem; }
  .answers { display: flex; flex-wrap: wrap; }
  .answers > * { flex: 1 1 auto; width: auto; }
  .even > * { flex: 1 1 0; }
}
@media (forced-colors: active) {
  .change > .after { border-style: double; border-width: 4px; }
}
`);
