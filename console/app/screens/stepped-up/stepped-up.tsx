import { useEffect } from 'react';
import { Link } from 'wouter';
import { tellSteppedUp } from '../../graph/stepped-up';
import { Page } from '../../parts/page';
import { paths } from '../../paths';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';

/** To where a sign-in in a tab of its own comes back. */
export default () => {
  const t = useText(commonTexts);
  useEffect(tellSteppedUp, []);
  return (
    <Page title={t('steppedUp')}>
      <p>{t('steppedUpThen')}</p>
      <p>
        <Link href={paths.home}>{t('home')}</Link>
      </p>
    </Page>
  );
};
