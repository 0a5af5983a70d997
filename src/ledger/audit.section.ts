import { z } from 'zod';
import { parseWitnessKey } from '../audit/cosignature';
import { NoteInvalid, parseVerifierKey } from '../audit/note';
import { httpUrl, type SectionContext } from '../section';

const anchorName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a short name: lower-case letters, digits and hyphens');
/** A key in the form that `parse` takes; what is wrong with it is what `parse` says. */
const keyText = (parse: (text: string) => unknown) =>
  z.string().superRefine((text, context) => {
    try {
      parse(text);
    } catch (error) {
      if (!(error instanceof NoteInvalid)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });
const witnessKey = keyText(parseWitnessKey);

/** The audit log's name, the public keys that it is believed by, where its high-water mark is, and the places outside its owner's reach where checkpoints go. */
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
      keys: z
        .array(keyText(parseVerifierKey))
        .max(32)
        .refine((keys) => new Set(keys).size === keys.length, 'expected different keys')
        .optional(),
      mark: z.string().min(1).optional(),
      /** For how many days after their last event the names of staff are kept, for whoever reads the log. */
      namesKeptDays: z.int().min(1, 'expected a day at least').max(36_500, 'expected 36500 days at most').default(365),
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
