import { lazy, type ReactNode, useState } from 'react';
import { AskCustomer, PanelPayments, type TransactionStatus } from '../../graph/operations';
import { useAct, useGraph } from '../../graph/use';
import { Later, RefusalNotice } from '../../parts/notices';
import { Foreign } from '../../parts/text';
import { Time, useNow } from '../../parts/time';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import { useFormats } from '../../text/formats';
import { useLanguage } from '../../text/language';
import { MethodName } from './names';
import { ActButton } from './opens';
import { isPending } from './pending';
import { type Customer, Listed, type Payment, type Question, useIsKept, useShown, Value } from './shown';
import { agentTexts } from './texts';

const tone = (status: TransactionStatus): string => {
  if (status === 'DECLINED' || status === 'DISPUTED') return 'tag wrong';
  if (isPending({ status })) return 'tag warn';
  return status === 'CAPTURED' ? 'tag good' : 'tag';
};

/** Providers' and networks' advice, by what it comes to. */
const adviceKinds: readonly (readonly [RegExp, 'DO_NOT_RETRY' | 'RETRY_LATER' | 'CHECK_CARD_DATA'])[] = [
  [/^(do_not_try_again|network_advice_(03|21))$/, 'DO_NOT_RETRY'],
  [/^(confirm_card_data|network_advice_01)$/, 'CHECK_CARD_DATA'],
  [/^(try_again_later|network_advice_(02|2[4-9]|30))$/, 'RETRY_LATER'],
];

/** What the bank's advice comes to, in a word. */
const Advice = ({ of }: { readonly of: string | null }) => {
  const t = useText(agentTexts);
  const kind = of === null ? undefined : adviceKinds.find(([pattern]) => pattern.test(of))?.[1];
  return kind === undefined ? null : <span className="tag warn">{t(`advice${kind}`)}</span>;
};

const GermanDecline = lazy(() => import('./decline.de'));

/** Why it was declined, as the gateway says it, and in the reader's language where its code may be read. */
const Decline = ({ payment: { declineCode, declineAdvice, declineExplanation } }: { readonly payment: Payment }) => {
  const language = useLanguage();
  return (
    <p>
      <Value field="Transaction.declineExplanation" of={declineExplanation}>
        {(words) => {
          const english = <span lang="en">{words}</span>;
          if (language === 'en' || declineCode === null) return english;
          return (
            <Later meanwhile={english} instead={english}>
              <GermanDecline code={declineCode} advice={declineAdvice} />
            </Later>
          );
        }}
      </Value>
    </p>
  );
};

/** What may be said of the latest payment that was declined. */
export const Telling = ({ of }: { readonly of: Customer['transactions'] }) => {
  const t = useText(agentTexts);
  const { money, relative } = useFormats();
  const now = useNow();
  const latest = of?.nodes.find(({ status }) => status === 'DECLINED');
  if (latest === undefined) return null;
  const amount = latest.amount === null ? null : money(latest.amount);
  return (
    <section className="sheet tell" aria-labelledby="panel-tell">
      <h2 id="panel-tell">{t('tell')}</h2>
      <Decline payment={latest} />
      <p>
        <Advice of={latest.declineAdvice} />
      </p>
      {amount === null || latest.createdAt === null ? null : (
        <p className="quiet">{t('tellAbout', { amount, ago: relative(latest.createdAt, now) })}</p>
      )}
    </section>
  );
};

const Answer = ({ question: { state, askedAt, expiresAt } }: { readonly question: Question }) => {
  const t = useText(agentTexts);
  const { relative, time } = useFormats();
  const now = useNow();
  return (
    <p className={`notice ${state === 'DISOWNED' ? 'refusal' : state === 'RECOGNIZED' ? 'good' : 'quiet'}`}>
      {t(`question${state}`, { ago: relative(askedAt, now), time: time(expiresAt) })}
    </p>
  );
};

const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

const Details = ({ payment }: { readonly payment: Payment }) => {
  const t = useText(agentTexts);
  const { money, country } = useFormats();
  const isKept = useIsKept();
  const { order, reference, refunded, location, risk, dispute, declineCode, status } = payment;
  return (
    <details>
      <summary>{t('details')}</summary>
      <dl className="facts">
        <Fact name={t('reference')}>
          <Value field="Transaction.reference" of={reference}>
            {(text) => (
              <code>
                <Foreign text={text} />
              </code>
            )}
          </Value>
        </Fact>
        <Fact name={t('order')}>
          <Value field="Transaction.order" of={order}>
            {(of) => (
              <>
                <Value field="Order.reference" of={of.reference}>
                  {(text) => (
                    <code>
                      <Foreign text={text} />
                    </code>
                  )}
                </Value>{' '}
                {of.description === null ? null : <Foreign text={of.description} />}
              </>
            )}
          </Value>
        </Fact>
        {refunded !== null && refunded.minorUnits > 0 ? <Fact name={t('refunded')}>{money(refunded)}</Fact> : null}
        {status === 'DECLINED' ? (
          <Fact name={t('code')}>
            <Value field="Transaction.declineCode" of={declineCode}>
              {(code) => (
                <code>
                  <Foreign text={code} />
                </code>
              )}
            </Value>
          </Fact>
        ) : null}
        <Fact name={t('paidFrom')}>
          <Value field="Transaction.location" of={location} isEmpty={location?.country === null && !isKept('Location.country')}>
            {(of) => (
              <Value field="Location.country" of={of.country}>
                {country}
              </Value>
            )}
          </Value>
        </Fact>
        <Fact name={t('risk')}>
          <Value field="Transaction.risk" of={risk}>
            {(of) => (
              <Value field="Risk.band" of={of.band}>
                {(band) => t(`risk${band}`)}
              </Value>
            )}
          </Value>
        </Fact>
        {dispute === null && !isKept('Transaction.dispute') ? null : (
          <Fact name={t('dispute')}>
            <Value field="Transaction.dispute" of={dispute}>
              {({ status: word, openedAt }) => (
                <>
                  {word} {openedAt === null ? null : <Time at={openedAt} />}
                </>
              )}
            </Value>
          </Fact>
        )}
      </dl>
    </details>
  );
};

const One = ({ payment, question }: { readonly payment: Payment; readonly question: Question | undefined }) => {
  const t = useText(agentTexts);
  const { money, relative } = useFormats();
  const { ticketId, link } = useShown();
  const now = useNow();
  const ask = useAct(AskCustomer);
  const { amount, status, createdAt, paymentMethod, freshness } = payment;
  const isOpen = question?.state === 'ASKED' || question?.state === 'RECOGNIZED' || question?.state === 'DISOWNED';
  return (
    <li>
      <p className="payment">
        <strong className="amount">
          <Value field="Transaction.amount" of={amount}>
            {money}
          </Value>
        </strong>{' '}
        <Value field="Transaction.status" of={status}>
          {(word) => <span className={tone(word)}>{t(`payment${word}`)}</span>}
        </Value>
        <Advice of={payment.declineAdvice} />
      </p>
      <p className="quiet">
        <Value field="Transaction.createdAt" of={createdAt}>
          {(at) => <Time at={at} />}
        </Value>
        {' · '}
        <Value field="Transaction.paymentMethod" of={paymentMethod}>
          {(of) => <MethodName of={of} />}
        </Value>
        {freshness?.stale ? (
          <span className="tag warn">
            {freshness.confirmedAt === null ? t('unconfirmed') : t('confirmed', { ago: relative(freshness.confirmedAt, now) })}
          </span>
        ) : null}
      </p>
      {status === 'DECLINED' ? <Decline payment={payment} /> : null}
      {question === undefined ? null : <Answer question={question} />}
      {isPending(payment) && !isOpen && link === 'VERIFIED' ? (
        <ActButton
          act={ask}
          variables={{ ticketId, transactionId: payment.id }}
          label={t('askIfTheirs')}
          done={t('askedIfTheirs')}
        />
      ) : null}
      <Details payment={payment} />
    </li>
  );
};

/** Older ones, a page at a time: what is shown already stays. */
const Older = ({ after, show }: { readonly after: string; readonly show: (payments: readonly Payment[]) => ReactNode }) => {
  const t = useText(commonTexts);
  const { ticketId } = useShown();
  const answer = useGraph(PanelPayments, { ticketId, after });
  if (answer.state === 'loading') return <p role="status">{t('loading')}</p>;
  if (answer.state === 'refused') return <RefusalNotice refusal={answer.refusal} />;
  const page = answer.data.ticket?.customer?.transactions;
  const refusal = answer.refusals.first;
  if (!page) return refusal === null ? null : <RefusalNotice refusal={refusal} />;
  return (
    <>
      {show(page.nodes)}
      <More page={page.pageInfo} show={show} />
    </>
  );
};

const More = ({
  page: { hasNextPage, endCursor },
  show,
}: {
  readonly page: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly show: (payments: readonly Payment[]) => ReactNode;
}) => {
  const t = useText(agentTexts);
  // A refresh of the first page may move its end; what was asked for goes on from where it did.
  const [from, setFrom] = useState<string | null>(null);
  if (!hasNextPage || endCursor === null) return null;
  if (from !== null) return <Older after={from} show={show} />;
  return (
    <button type="button" className="small" onClick={() => setFrom(endCursor)}>
      {t('more')}
    </button>
  );
};

export const Payments = ({
  of,
  questions,
}: {
  readonly of: Customer['transactions'];
  readonly questions: readonly Question[];
}) => {
  const t = useText(agentTexts);
  const show = (payments: readonly Payment[]) => (
    <ul className="items">
      {payments.map((payment) => (
        <One key={payment.id} payment={payment} question={questions.find(({ transaction }) => transaction?.id === payment.id)} />
      ))}
    </ul>
  );
  return (
    <section className="sheet" aria-labelledby="panel-payments">
      <h2 id="panel-payments">{t('payments')}</h2>
      <Listed field="Customer.transactions" of={of?.nodes ?? null} empty={t('noPayments')}>
        {show}
      </Listed>
      {of === null ? null : <More page={of.pageInfo} show={show} />}
    </section>
  );
};
