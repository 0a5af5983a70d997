import { type ReactNode, useEffect, useRef } from 'react';
import { useText } from '../text/catalogue';
import { commonTexts } from '../text/common';

/** A screen: its title is named to whoever doesn't see it, and says nothing of whom it is about. */
export const Page = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => {
  const t = useText(commonTexts);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – ${t('product')}`;
  }, [title, t]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </>
  );
};
