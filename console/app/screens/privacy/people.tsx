import { type FormEvent, useId, useState } from 'react';
import { useSearchParams } from 'wouter';
import { lookedUp, useNameLookUp } from '../../graph/actor-names';
import { type Role, WhoSawCustomer, type WhoSawCustomerData } from '../../graph/operations';
import { useGraph } from '../../graph/use';
import { Answered, NotShown, RefusalNotice } from '../../parts/notices';
import { Page } from '../../parts/page';
import { Pager, usePaging } from '../../parts/pager';
import { Table } from '../../parts/table';
import { Foreign } from '../../parts/text';
import { Time } from '../../parts/time';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import { privacyTexts } from './texts';

type Shown = WhoSawCustomerData['disclosures']['nodes'][number];

const isDay = (text: string | null): text is string => /^\d{4}-\d{2}-\d{2}$/.test(text ?? '');
const startOf = (day: string | null): string | null => (isDay(day) ? `${day}T00:00:00Z` : null);
/** One of our own ids: nothing else is put into an address. */
const isId = (text: string): boolean => /^[a-z]{2,4}_[0-9A-Za-z]{6,40}$/.test(text);

/** A helpdesk as the configuration names it, and its own number of a ticket: neither says who somebody is. */
const isSource = (text: string): boolean => /^[\w.-]{1,64}$/.test(text);
const isReference = (text: string): boolean => /^[\w./#:-]{1,64}$/.test(text);

interface Asked {
  readonly customer: string;
  readonly source: string;
  readonly reference: string;
  readonly from: string | null;
  readonly before: string | null;
}

type Problem = 'needsId' | 'needsOne' | 'needsTicket' | 'order';
const placeOf: Readonly<Record<Problem, string>> = {
  needsId: 'customer',
  needsOne: 'customer',
  needsTicket: 'source',
  order: 'from',
};

const problemOf = ({ customer, source, reference, from, before }: Record<keyof Asked, string>): Problem | null => {
  const hasTicket = source !== '' || reference !== '';
  if ((customer === '') !== hasTicket) return 'needsOne';
  if (hasTicket && !(isSource(source) && isReference(reference))) return 'needsTicket';
  if (!hasTicket && !isId(customer)) return 'needsId';
  return from !== '' && before !== '' && from >= before ? 'order' : null;
};

const Asking = ({ asked, ask }: { readonly asked: Asked; readonly ask: (asked: Asked) => void }) => {
  const t = useText(privacyTexts);
  const id = useId();
  const [problem, setProblem] = useState<Problem | null>(null);
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const text = (name: string) => String(given.get(name) ?? '').trim();
    const [customer, source, reference, from, before] = [
      text('customer'),
      text('source'),
      text('reference'),
      text('from'),
      text('before'),
    ];
    const found = problemOf({ customer, source, reference, from, before });
    setProblem(found);
    if (found === null) ask({ customer, source, reference, from: from || null, before: before || null });
    else document.getElementById(`${id}-${placeOf[found]}`)?.focus();
  };
  const told = (...all: readonly Problem[]) =>
    problem !== null && all.includes(problem) ? (
      <p className="problem" id={`${id}-problem`} role="alert">
        {t(problem)}
      </p>
    ) : null;
  return (
    <form className="sheet" onSubmit={send} noValidate>
      <div className="field">
        <label htmlFor={`${id}-customer`}>{t('customer')}</label>
        <p className="hint" id={`${id}-hint`}>
          {t('customerHint')}
        </p>
        {told('needsId', 'needsOne')}
        <input
          id={`${id}-customer`}
          name="customer"
          defaultValue={asked.customer}
          autoComplete="off"
          spellCheck={false}
          aria-invalid={problem === 'needsId' || problem === 'needsOne'}
          aria-describedby={`${id}-hint${problem === 'needsId' || problem === 'needsOne' ? ` ${id}-problem` : ''}`}
        />
      </div>
      <fieldset>
        <legend>{t('orTicket')}</legend>
        {told('needsTicket')}
        <div className="field">
          <label htmlFor={`${id}-source`}>{t('source')}</label>
          <input
            id={`${id}-source`}
            name="source"
            defaultValue={asked.source}
            autoComplete="off"
            spellCheck={false}
            aria-invalid={problem === 'needsTicket'}
            aria-describedby={problem === 'needsTicket' ? `${id}-problem` : undefined}
          />
        </div>
        <div className="field">
          <label htmlFor={`${id}-reference`}>{t('reference')}</label>
          <input
            id={`${id}-reference`}
            name="reference"
            defaultValue={asked.reference}
            autoComplete="off"
            spellCheck={false}
            aria-invalid={problem === 'needsTicket'}
            aria-describedby={problem === 'needsTicket' ? `${id}-problem` : undefined}
          />
        </div>
      </fieldset>
      {told('order')}
      <div className="field">
        <label htmlFor={`${id}-from`}>{t('from')}</label>
        <input
          id={`${id}-from`}
          name="from"
          type="date"
          defaultValue={asked.from ?? ''}
          aria-invalid={problem === 'order'}
          aria-describedby={problem === 'order' ? `${id}-problem` : undefined}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-before`}>{t('before')}</label>
        <input id={`${id}-before`} name="before" type="date" defaultValue={asked.before ?? ''} />
      </div>
      <button type="submit">{t('look')}</button>
    </form>
  );
};

const kinds = { staff: 'staff', service: 'service', customer: 'customerKind', system: 'system' } as const;
const roles: readonly string[] = ['AGENT', 'SUPERVISOR', 'PAYMENTS', 'AUDITOR', 'PRIVACY', 'SERVICE', 'ADMIN'];

const Who = ({ actor, name }: { readonly actor: NonNullable<Shown['actor']>; readonly name: string | undefined }) => {
  const t = useText(privacyTexts);
  const common = useText(commonTexts);
  const kind = kinds[actor.kind as keyof typeof kinds];
  const held = actor.roles.filter((role) => roles.includes(role)).map((role) => common(`role${role as Role}`));
  return (
    <>
      {name === undefined ? null : (
        <>
          <Foreign text={name} />{' '}
        </>
      )}
      <code>{actor.id}</code> <span className="quiet">{held.join(', ') || (kind === undefined ? actor.kind : t(kind))}</span>
    </>
  );
};

const What = ({ fields }: { readonly fields: NonNullable<Shown['disclosedFields']> }) => {
  const t = useText(privacyTexts);
  return (
    <details>
      <summary>{t('fields', { count: fields.length })}</summary>
      <ul>
        {fields.map(({ field, verdict, count }) => (
          <li key={`${field} ${verdict}`}>
            <code>{field}</code> {verdict}, {t('times', { count })}
          </li>
        ))}
      </ul>
    </details>
  );
};

const Found = ({ customer, source, reference, from, before }: Asked) => {
  const t = useText(privacyTexts);
  const paging = usePaging(`${customer} ${source} ${reference} ${from} ${before}`);
  const answer = useGraph(WhoSawCustomer, {
    ...(customer === '' ? { source, reference } : { customerId: customer }),
    from: startOf(from),
    before: startOf(before),
    after: paging.after,
  });
  const shown = answer.state === 'ready' ? answer.data.disclosures.nodes : [];
  const ids = lookedUp(shown.flatMap(({ actor }) => actor?.id ?? []));
  const { named, refusal, isBusy, ask } = useNameLookUp();
  const nameOf = (id: string): string | undefined => {
    const found = named.get(id);
    return found === undefined ? undefined : (found?.name ?? t(found?.state === 'ERASED' ? 'erased' : 'unknownName'));
  };
  return (
    <Answered answer={answer}>
      {({ disclosures: { nodes, totalCount, rowFindings, pageInfo } }, refusals) => (
        <>
          {rowFindings > 0 ? <p className="notice warn">{t('altered')}</p> : null}
          {ids.every((id) => named.has(id)) ? null : (
            <p>
              <button type="button" className="small" aria-disabled={isBusy} onClick={() => void ask(ids)}>
                {t('names')}
              </button>{' '}
              <span className="quiet">{t('namesWhy')}</span>
            </p>
          )}
          {refusal === null ? null : <RefusalNotice refusal={refusal} live />}
          <Table
            caption={t('caption', { count: totalCount })}
            empty={t('none')}
            rows={nodes}
            keyOf={({ id }) => id}
            columns={[
              { key: 'when', title: t('when'), cell: ({ at }) => <Time at={at} zone="utc" seconds /> },
              {
                key: 'who',
                title: t('who'),
                cell: ({ actor }) => (actor === null ? '–' : <Who actor={actor} name={nameOf(actor.id)} />),
              },
              {
                key: 'ticket',
                title: t('ticket'),
                cell: ({ ticketIds }) =>
                  ticketIds.length === 0 ? t('noTicket') : ticketIds.map((id) => <code key={id}>{id} </code>),
              },
              {
                key: 'what',
                title: t('what'),
                cell: ({ disclosedFields }) => {
                  const denied = refusals.of('AuditEvent.disclosedFields');
                  if (disclosedFields !== null) return <What fields={disclosedFields} />;
                  return denied === null ? '–' : <NotShown refusal={denied} />;
                },
              },
            ]}
          />
          <Pager paging={paging} page={pageInfo} />
        </>
      )}
    </Answered>
  );
};

/** To whom a customer was shown: what one who asks about their data is owed an answer to. */
export default () => {
  const t = useText(privacyTexts);
  const [search, setSearch] = useSearchParams();
  const asked: Asked = {
    customer: search.get('customer') ?? '',
    source: search.get('source') ?? '',
    reference: search.get('reference') ?? '',
    from: isDay(search.get('from')) ? search.get('from') : null,
    before: isDay(search.get('before')) ? search.get('before') : null,
  };
  const ask = ({ customer, source, reference, from, before }: Asked) =>
    setSearch({
      ...(customer === '' ? { source, reference } : { customer }),
      ...(from === null ? {} : { from }),
      ...(before === null ? {} : { before }),
    });
  return (
    <Page title={t('title')}>
      <p>{t('about')}</p>
      <Asking key={JSON.stringify(asked)} asked={asked} ask={ask} />
      {isId(asked.customer) || (isSource(asked.source) && isReference(asked.reference)) ? <Found {...asked} /> : null}
    </Page>
  );
};
