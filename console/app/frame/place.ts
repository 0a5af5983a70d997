/** A frame's ticket, as the page around it says: a hint, as good as whoever wrote it. */
export interface FramePlace {
  readonly source: string;
  readonly reference: string;
}

const [, source, reference] = /^\/embed\/([^/]+)\/([^/]+)$/.exec(location.pathname) ?? [];

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

/** Null where this page is in no frame of a helpdesk's. */
export const framePlace: FramePlace | null =
  source === undefined || reference === undefined ? null : { source: decoded(source), reference: decoded(reference) };
