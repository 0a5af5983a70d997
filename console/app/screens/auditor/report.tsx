import { type FormEvent, useState } from 'react';
import { LogReport } from '../../graph/operations';
import { useGraph } from '../../graph/use';
import { Answered, NotShown } from '../../parts/notices';
import { Table } from '../../parts/table';
import { useText } from '../../text/catalogue';
import { useFormats } from '../../text/formats';
import { auditorTexts } from './texts';

interface Days {
  readonly from: string;
  readonly before: string;
}

/** The graph answers for so many days at most. */
const mostDays = 32;
const day = 86_400_000;
const startOf = (text: string): number => Date.parse(`${text}T00:00:00Z`);

const daysIn = (form: FormData): Days | null => {
  const [from, before] = [String(form.get('from') ?? ''), String(form.get('before') ?? '')];
  const days = (startOf(before) - startOf(from)) / day;
  return days >= 1 && days <= mostDays ? { from, before } : null;
};

/** What was shown in these days, as the signed leaves tell it. */
const Counted = ({ from, before }: Days) => {
  const t = useText(auditorTexts);
  const { number } = useFormats();
  const answer = useGraph(LogReport, { from: `${from}T00:00:00Z`, before: `${before}T00:00:00Z` });
  return (
    <Answered answer={answer}>
      {({ auditReport: report }, refusals) => {
        const denied = refusals.of('AuditReport.lines');
        if (report.lines === null) return denied === null ? null : <NotShown refusal={denied} />;
        return (
          <>
            <p>
              {t('reportOf', {
                disclosures: number(report.disclosures),
                denials: number(report.denials),
                from: number(report.leavesFrom),
                to: number(report.leavesTo),
              })}
            </p>
            <Table
              caption={t('reportCaption')}
              empty={t('reportNone')}
              rows={report.lines}
              keyOf={({ roles, field, purpose }) => `${roles} ${field} ${purpose}`}
              columns={[
                { key: 'roles', title: t('reportRoles'), cell: ({ roles }) => roles },
                { key: 'field', title: t('reportField'), cell: ({ field }) => <code>{field}</code> },
                { key: 'purpose', title: t('reportPurpose'), cell: ({ purpose }) => purpose },
                { key: 'revealed', title: t('reportRevealed'), numeric: true, cell: ({ revealed }) => number(revealed) },
                { key: 'masked', title: t('reportMasked'), numeric: true, cell: ({ masked }) => number(masked) },
                { key: 'denied', title: t('reportDenied'), numeric: true, cell: (line) => number(line.denied) },
              ]}
            />
          </>
        );
      }}
    </Answered>
  );
};

/** How much of what was revealed, masked and denied to whom, for some days. */
export const Report = () => {
  const t = useText(auditorTexts);
  const [days, setDays] = useState<Days | null>(null);
  const [isWrong, setWrong] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const found = daysIn(new FormData(event.currentTarget));
    setWrong(found === null);
    if (found === null) event.currentTarget.querySelector<HTMLElement>('[name=from]')?.focus();
    else setDays(found);
  };
  const wrong = isWrong ? { 'aria-invalid': true, 'aria-describedby': 'report-wrong' } : {};
  return (
    <section className="sheet" aria-labelledby="report">
      <h2 id="report">{t('report')}</h2>
      <p>{t('reportIs')}</p>
      <form className="log-filters" onSubmit={submit} noValidate aria-labelledby="report">
        {(['from', 'before'] as const).map((name) => (
          <div className="field" key={name}>
            <label htmlFor={`report-${name}`}>{t(name === 'from' ? 'reportFrom' : 'reportBefore')}</label>
            <input id={`report-${name}`} name={name} type="date" {...wrong} />
          </div>
        ))}
        {isWrong ? (
          <p className="problem wide" id="report-wrong" role="alert">
            {t('reportWrong')}
          </p>
        ) : null}
        <p className="actions wide">
          <button type="submit">{t('reportShow')}</button>
        </p>
      </form>
      {days === null ? null : <Counted {...days} />}
      <p>{t('reportElse')}</p>
      <p>
        <code>counterfoil audit report --from 2026-09-01 --to 2026-10-01</code>
      </p>
    </section>
  );
};
