import { lazy, useState } from 'react';
import type { CredentialUpdateKind } from '../../graph/operations';
import { useText } from '../../text/catalogue';
import { MethodName, useMethodName } from './names';
import { Opens } from './opens';
import { type Customer, Listed, type Method, Value } from './shown';
import { agentTexts } from './texts';

const Starting = lazy(() => import('./starting'));

const Changing = ({ method }: { readonly method: Method }) => {
  const t = useText(agentTexts);
  const nameOf = useMethodName();
  const [chosen, choose] = useState<CredentialUpdateKind | null>(null);
  const { updates } = method;
  return (
    <Opens summary={t('change')} name={t('changeOf', { method: nameOf(method) })}>
      {(close) => (
        <Listed field="PaymentMethod.updates" of={updates} empty={t('blockUnknown')}>
          {(offers) => (
            <ul className="offers">
              {offers.map(({ kind, blockedBy }) => (
                <li key={kind}>
                  {blockedBy === null ? (
                    <button
                      type="button"
                      className="small"
                      aria-expanded={chosen === kind}
                      onClick={() => choose(chosen === kind ? null : kind)}
                    >
                      {t(`update${kind}`)}
                    </button>
                  ) : (
                    <span className="quiet">
                      {t(`update${kind}`)}: {t(`block${blockedBy}`)}
                    </span>
                  )}
                  {chosen === kind && blockedBy === null ? (
                    <Starting
                      method={method}
                      kind={kind}
                      done={() => {
                        choose(null);
                        close();
                      }}
                    />
                  ) : null}
                </li>
              ))}
            </ul>
          )}
        </Listed>
      )}
    </Opens>
  );
};

/** What the customer can pay with, and what can be changed of it. */
export const Methods = ({ of }: { readonly of: Customer['paymentMethods'] }) => {
  const t = useText(agentTexts);
  return (
    <section className="sheet" aria-labelledby="panel-methods">
      <h2 id="panel-methods">{t('methods')}</h2>
      <Listed field="Customer.paymentMethods" of={of} empty={t('noMethods')}>
        {(methods) => (
          <ul className="items">
            {methods.map((method) => (
              <li key={method.id}>
                <p>
                  <strong>
                    <MethodName of={method} />
                  </strong>{' '}
                  {method.isDefault ? <span className="tag good">{t('isDefault')}</span> : null}
                  {method.status === null || method.status === 'ACTIVE' ? null : (
                    <span className="tag warn">{t(`status${method.status}`)}</span>
                  )}
                </p>
                {method.kind === 'CARD' ? (
                  <p className="quiet">
                    <Value field="PaymentMethod.expiryYear" of={method.expiryYear}>
                      {(year) => t('expires', { month: String(method.expiryMonth ?? '?').padStart(2, '0'), year: String(year) })}
                    </Value>
                  </p>
                ) : method.kind === null || method.brand === null ? null : (
                  <p className="quiet">{t(`kind${method.kind}`)}</p>
                )}
                {method.timesSaved !== null && method.timesSaved > 1 ? (
                  <p className="quiet">{t('times', { count: method.timesSaved })}</p>
                ) : null}
                <Changing method={method} />
              </li>
            ))}
          </ul>
        )}
      </Listed>
    </section>
  );
};
