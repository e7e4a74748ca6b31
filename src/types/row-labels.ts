/** Labels of a configuration row: who applied it, and which file owns it. */
import { z } from 'zod';

/** Names and values of at most 63 characters, as in Kubernetes. */
export const rowLabels = z
  .record(
    z.string().regex(/^[a-z0-9]([a-z0-9./_-]{0,61}[a-z0-9])?$/i, 'is 1 to 63 letters, digits, ".", "/", "_" or "-"'),
    z
      .string()
      .max(63)
      .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not hold control characters or half of a surrogate pair'),
  )
  .describe('Labels of the row. Applying with a label and `prune` deletes rows with that label that the files no longer contain.');

export type RowLabels = Readonly<z.output<typeof rowLabels>>;

/** Labels that people give. Those of Pailou's own begin with `pailou/`. */
export const givenLabels = rowLabels.refine((labels) => !Object.keys(labels).some((name) => name.startsWith('pailou/')), {
  error: 'must not contain names that begin with "pailou/": those are for Pailou itself',
});

/** The label of rows that the file of PAILOU_CONFIG owns. Only that file changes them. */
export const ownerLabel = 'pailou/owner';
