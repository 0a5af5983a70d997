import { type FormEvent, useState } from 'react';
import type { Refusal } from '../../graph/refusals';
import { RefusalNotice } from '../../parts/notices';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { isCustomer, timeIn } from './address';
import { LogScreen } from './nav';
import { readOwn, save } from './own-files';
import { Report } from './report';
import { TakeAlong } from './take-along';
import { auditorTexts } from './texts';

type Format = 'ndjson' | 'csv';

type Outcome =
  | { readonly kind: 'saved'; readonly files: readonly string[]; readonly bytes: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

const fileOf: Readonly<Record<Format, string>> = { ndjson: 'counterfoil-audit.ndjson', csv: 'counterfoil-audit.csv' };
const manifestOf = (csv: string): string => `${csv}.manifest.ndjson`;

/** How often what was read so far is told, in bytes. */
const toldEach = 262_144;

const take = async (query: URLSearchParams, format: Format, onBytes: (bytes: number) => void): Promise<Outcome> => {
  let [before, told] = [0, 0];
  const counting = (bytes: number) => {
    if (before + bytes - told < toldEach) return;
    told = before + bytes;
    onBytes(told);
  };
  const read = await readOwn(`/audit/export?${query}`, { onBytes: counting });
  if (read.refusal !== null) return { kind: 'refused', refusal: read.refusal };
  const name = fileOf[format];
  if (read.describedBy === null) {
    save(name, read.bytes);
    return { kind: 'saved', files: [name], bytes: read.bytes.size };
  }
  // Without its manifest nobody can verify the table: it is both or nothing.
  before = read.bytes.size;
  const manifest = await readOwn(read.describedBy, { onBytes: counting });
  if (manifest.refusal !== null) return { kind: 'refused', refusal: manifest.refusal };
  save(name, read.bytes);
  save(manifestOf(name), manifest.bytes);
  return { kind: 'saved', files: [name, manifestOf(name)], bytes: read.bytes.size + manifest.bytes.size };
};

const sizes = /^\s*(?:[1-9]\d{0,14}(?:[\s,]+[1-9]\d{0,14})*)?\s*$/;

const ExportForm = () => {
  const t = useText(auditorTexts);
  const { number } = useFormats();
  const [wrong, setWrong] = useState<'customer' | 'since' | null>(null);
  const [bytes, setBytes] = useState<number | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (bytes !== null) return;
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const customer = text('customer');
    const found = customer !== '' && !isCustomer(customer) ? 'customer' : sizes.test(text('since')) ? null : 'since';
    setWrong(found);
    if (found !== null) {
      event.currentTarget.querySelector<HTMLElement>(`[name=${found}]`)?.focus();
      return;
    }
    const format: Format = text('format') === 'csv' ? 'csv' : 'ndjson';
    const query = new URLSearchParams({ format });
    const [from, to] = [timeIn(text('from')), timeIn(text('before'))];
    if (from !== undefined) query.set('from', from);
    if (to !== undefined) query.set('to', to);
    if (customer !== '') query.set('customer', customer);
    for (const size of text('since').match(/\d+/g) ?? []) query.append('since', size);
    setOutcome(null);
    setBytes(0);
    void take(query, format, setBytes).then((done) => {
      setBytes(null);
      setOutcome(done);
    });
  };
  return (
    <>
      <form className="sheet log-filters" onSubmit={submit} noValidate aria-label={t('exports')}>
        <p className="field">
          <label htmlFor="export-format">{t('format')}</label>
          <select id="export-format" name="format" defaultValue="ndjson">
            <option value="ndjson">{t('ndjson')}</option>
            <option value="csv">{t('csv')}</option>
          </select>
        </p>
        {(['from', 'before'] as const).map((name) => (
          <p className="field" key={name}>
            <label htmlFor={`export-${name}`}>{t(`filter_${name}`)}</label>
            <input id={`export-${name}`} name={name} type="datetime-local" />
          </p>
        ))}
        <div className="field">
          <label htmlFor="export-customer">{t('filter_customer')}</label>
          <p className="hint" id="export-customer-hint">
            {t('exportCustomerHint')}
          </p>
          {wrong === 'customer' ? (
            <p className="problem" id="export-customer-wrong">
              {t('wrong_customer')}
            </p>
          ) : null}
          <input
            id="export-customer"
            name="customer"
            className="mono"
            autoComplete="off"
            spellCheck={false}
            maxLength={40}
            aria-invalid={wrong === 'customer' || undefined}
            aria-describedby={wrong === 'customer' ? 'export-customer-wrong export-customer-hint' : 'export-customer-hint'}
          />
        </div>
        <div className="field">
          <label htmlFor="export-since">{t('since')}</label>
          <p className="hint" id="export-since-hint">
            {t('sinceHint')}
          </p>
          {wrong === 'since' ? (
            <p className="problem" id="export-since-wrong">
              {t('wrong_since')}
            </p>
          ) : null}
          <input
            id="export-since"
            name="since"
            inputMode="numeric"
            autoComplete="off"
            maxLength={200}
            aria-invalid={wrong === 'since' || undefined}
            aria-describedby={wrong === 'since' ? 'export-since-wrong export-since-hint' : 'export-since-hint'}
          />
        </div>
        <p className="hint wide">{t('exportRecorded')}</p>
        <p className="actions wide">
          <button type="submit" aria-disabled={bytes !== null}>
            {t('takeExport')}
          </button>
        </p>
      </form>
      <div role="status">
        {bytes === null ? null : <p className="notice quiet">{t('exporting', { bytes: number(bytes) })}</p>}
        {outcome?.kind === 'saved' ? (
          <div className="notice good">
            <p>
              <strong>{t('exported', { bytes: number(outcome.bytes) })}</strong>
            </p>
            <ul>
              {outcome.files.map((name) => (
                <li key={name} className="mono">
                  {name}
                </li>
              ))}
            </ul>
            <p>{t('exportedNext')}</p>
          </div>
        ) : null}
      </div>
      {outcome?.kind === 'refused' ? <RefusalNotice refusal={outcome.refusal} live /> : null}
    </>
  );
};

/** Exports of the log, and its report. */
export default () => {
  const t = useText(auditorTexts);
  return (
    <LogScreen title={t('exports')}>
      <p>{t('exportsIntro')}</p>
      <ExportForm />
      <Report />
      <TakeAlong />
    </LogScreen>
  );
};
