import { draw } from '../draw';
import { bringContext } from './context';
import { Frame } from './frame';
import { framePlace } from './place';

// Whatever is followed from here opens beside the helpdesk, never in its frame.
document.addEventListener(
  'click',
  ({ target }) => {
    const link = target instanceof Element ? target.closest('a') : null;
    if (link) Object.assign(link, { target: '_blank', rel: 'noopener noreferrer' });
  },
  { capture: true },
);

const start = async (): Promise<void> => {
  if (framePlace === null) return;
  const taken = await bringContext(framePlace.source);
  await draw(<Frame {...framePlace} brought={taken} />);
};

void start();
