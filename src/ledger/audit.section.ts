import { z } from 'zod';
import { parseWitnessKey } from '../audit/cosignature';
import { NoteInvalid } from '../audit/note';
import { httpUrl, type SectionContext } from '../section';

const anchorName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a short name: lower-case letters, digits and hyphens');
const witnessKey = z.string().refine((text) => {
  try {
    parseWitnessKey(text);
    return true;
  } catch (error) {
    if (error instanceof NoteInvalid) return false;
    throw error;
  }
}, 'expected a witness key as name+hash+base64, of type cosignature/v1, as the witness publishes it');

/** The audit log's name and the places outside its owner's reach where checkpoints go. */
export const auditSection = (section: Pick<SectionContext, 'production'>) =>
  z
    .strictObject({
      origin: z
        .string()
        .regex(
          /^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/,
          'expected a name without a scheme that nobody else uses, such as counterfoil.example.com/audit: 64 of A-Z a-z 0-9 . _ / - at most',
        )
        .optional(),
      anchors: z
        .array(
          z.discriminatedUnion(
            'kind',
            [
              z.strictObject({ kind: z.literal('file'), name: anchorName, path: z.string().min(1) }),
              z.strictObject({ kind: z.literal('witness'), name: anchorName, url: httpUrl(section), key: witnessKey }),
            ],
            { error: 'expected a known kind: file or witness' },
          ),
        )
        .max(8)
        .refine(
          (anchors) => new Set(anchors.map(({ name }) => name)).size === anchors.length,
          'expected anchors of different names',
        )
        .default([]),
    })
    .prefault({});

export type AuditSection = z.output<ReturnType<typeof auditSection>>;
