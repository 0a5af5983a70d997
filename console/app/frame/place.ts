/** A frame's ticket, as the page around it says: a hint, as good as whoever wrote it. */
export interface FramePlace {
  readonly source: string;
  readonly reference: string;
}

/** The same where the page around the frame may not say which ticket it is about. */
interface FrameAddress {
  readonly source: string;
  readonly reference: string | null;
}

const [, source, reference] = /^\/embed\/([^/]+)(?:\/([^/]+))?$/.exec(location.pathname) ?? [];

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

/** Null where this page is in no frame of a helpdesk's. */
export const framePlace: FrameAddress | null =
  source === undefined ? null : { source: decoded(source), reference: reference === undefined ? null : decoded(reference) };
