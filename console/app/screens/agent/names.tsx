import type { PaymentMethodKind } from '../../graph/operations';
import { useText } from '../../text/catalogue';
import { isolated } from '../../text/isolated';
import { Value } from './shown';
import { agentTexts } from './texts';

interface Named {
  readonly kind: PaymentMethodKind | null;
  readonly brand: string | null;
  readonly last4: string | null;
}

const brands: Readonly<Record<string, string>> = {
  amex: 'American Express',
  diners: 'Diners Club',
  jcb: 'JCB',
  unionpay: 'UnionPay',
};

/** As people write it. */
const brandName = (brand: string): string =>
  brands[brand] ?? isolated(brand.charAt(0).toUpperCase() + brand.slice(1).replaceAll('_', ' '));

/** A way to pay, named in a sentence. */
export const useMethodName = (): ((method: Named) => string) => {
  const t = useText(agentTexts);
  return ({ kind, brand, last4 }) => {
    const method = brand === null ? t(`kind${kind ?? 'OTHER'}`) : brandName(brand);
    return last4 === null || last4.includes('•') ? method : t('ends', { method, last4 });
  };
};

/** The same with why its digits aren't shown. */
export const MethodName = ({ of }: { readonly of: Named }) => {
  const t = useText(agentTexts);
  return (
    <>
      {of.brand === null ? t(`kind${of.kind ?? 'OTHER'}`) : brandName(of.brand)}{' '}
      {of.kind === 'CARD' || of.last4 !== null ? (
        <Value field="PaymentMethod.last4" of={of.last4}>
          {(last4) => <span className="digits">•••• {last4.includes('•') ? '••••' : isolated(last4)}</span>}
        </Value>
      ) : null}
    </>
  );
};
