import { pathTo } from '../paths';
import { useText } from '../text/catalogue';
import type { FramePlace } from './place';
import { frameTexts } from './texts';

export const ConsoleLink = ({ place }: { readonly place: FramePlace }) => {
  const t = useText(frameTexts);
  return (
    <a href={pathTo('ticket', { ...place })} target="_blank" rel="noopener noreferrer">
      {t('console')}
    </a>
  );
};
