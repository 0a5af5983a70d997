import { closed } from '../text/isolated';

/** A text of somebody else's: its direction is its own, and reaches nothing around it (Unicode Bidirectional Algorithm, isolates). */
export const Foreign = ({ text }: { readonly text: string }) => <bdi dir="auto">{closed(text)}</bdi>;
