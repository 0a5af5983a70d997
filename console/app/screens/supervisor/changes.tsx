import type { ApprovalQueueData } from '../../graph/operations';
import type { Refusals } from '../../graph/refusals';
import { NotShown } from '../../parts/notices';
import { Table } from '../../parts/table';
import { Foreign } from '../../parts/text';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import { useFormats } from '../../text/formats';
import { approvalTexts } from './approvals-texts';

type Update = ApprovalQueueData['updates']['nodes'][number];
type Method = NonNullable<Update['before']>;

/** A method before and after a change, field by field, as far as it is shown; what differs is said, never by colour alone. */
export const Changes = ({
  update: { kind, before, after },
  refusals,
}: {
  readonly update: Update;
  readonly refusals: Refusals;
}) => {
  const t = useText(approvalTexts);
  const common = useText(commonTexts);
  const { country } = useFormats();
  const refusal = refusals.of('CredentialUpdate.before') ?? refusals.of('CredentialUpdate.after');
  if (refusal !== null) return <NotShown refusal={refusal} />;
  const addressOf = ({ billingAddress }: Method): string | null =>
    billingAddress === null
      ? null
      : [
          billingAddress.line1,
          billingAddress.line2,
          billingAddress.postalCode,
          billingAddress.city,
          billingAddress.state,
          billingAddress.country === null ? null : country(billingAddress.country),
        ]
          .filter((part) => part !== null && part !== '')
          .join(', ');
  const expiryOf = ({ expiryMonth, expiryYear }: Method): string | null =>
    expiryMonth === null || expiryYear === null ? null : `${String(expiryMonth).padStart(2, '0')}/${expiryYear}`;
  const defaultOf = ({ isDefault }: Method): string | null => (isDefault === null ? null : t(isDefault ? 'yes' : 'no'));
  const fields: readonly (readonly [string, string, (method: Method) => string | null])[] = [
    ['brand', 'CredentialSummary.brand', ({ brand }) => brand],
    ['last4', 'CredentialSummary.last4', ({ last4 }) => last4],
    ['expiry', 'CredentialSummary.expiryYear', expiryOf],
    ['country', 'CredentialSummary.country', (method) => (method.country === null ? null : country(method.country))],
    ['isDefault', 'CredentialSummary.isDefault', defaultOf],
    ['address', 'CredentialSummary.billingAddress', addressOf],
  ];
  const isRemoved = kind === 'REMOVE';
  const rows = fields.map(([name, of, read]) => ({
    name,
    refusal: refusals.of(of),
    old: before === null ? null : read(before),
    next: after === null ? null : read(after),
  }));
  // What is masked alike may differ all the same: an address is never shown whole.
  const isWhole = ({ name, next }: { readonly name: string; readonly next: string | null }) =>
    name !== 'address' && next?.includes('•') === false;
  const isMasked = rows.some(({ old, next }) => `${old}${next}`.includes('•'));
  const cell = (value: string | null) =>
    value === null ? <span className="quiet">{t('noneOrHidden')}</span> : <Foreign text={value} />;
  return (
    <>
      <Table
        caption={t('changes')}
        empty={common('none')}
        rows={rows}
        keyOf={({ name }) => name}
        columns={[
          { key: 'field', title: t('field'), cell: ({ name }) => t(name as 'brand') },
          {
            key: 'before',
            title: t('before'),
            cell: (row) => (row.refusal === null ? cell(row.old) : <NotShown refusal={row.refusal} />),
          },
          {
            key: 'after',
            title: t('after'),
            cell: (row) =>
              row.refusal !== null ? (
                <NotShown refusal={row.refusal} />
              ) : isRemoved || after === null ? (
                <span className="quiet">{isRemoved ? t('removed') : common('unknown')}</span>
              ) : (
                <>
                  {cell(row.next)}{' '}
                  {row.next === row.old ? (
                    row.next === null ? null : (
                      <span className="quiet">({t(isWhole(row) ? 'same' : 'sameShown')})</span>
                    )
                  ) : (
                    <span className="tag warn">{t('isNew')}</span>
                  )}
                </>
              ),
          },
        ]}
      />
      {isMasked ? <p className="quiet">{t('masked')}</p> : null}
    </>
  );
};
