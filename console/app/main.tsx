import { Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { Provider } from 'urql';
import { Console } from './console';
import { client } from './graph/client';

createRoot(document.getElementById('app') as HTMLElement).render(
  <Provider value={client}>
    <Suspense fallback={null}>
      <Console />
    </Suspense>
  </Provider>,
);
