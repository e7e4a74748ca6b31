/** How long a stream may take to its first token. */
import type { JsonObject } from '../types/json.ts';
import type { Deployment, ModelEntry } from '../types/snapshot.ts';

/** By effort: how long a model may think without any sign of life. */
const byEffort: Readonly<Record<string, number>> = {
  none: 30_000,
  minimal: 30_000,
  low: 60_000,
  medium: 120_000,
  high: 240_000,
  xhigh: 420_000,
  max: 420_000,
};
/** Without an effort: for models that think, that do not, and that are not known. */
const thinks = 120_000;
const doesNotThink = 30_000;
const unknown = 60_000;

export interface FirstTokenLimit {
  readonly milliseconds: number;
  /** True when each sign of life, such as a keep-alive comment, starts the time anew. The limit of the whole call still holds. */
  readonly isRenewed: boolean;
}

/** The limit of the row as it is, or a default that lets reasoning models think. */
export function firstTokenLimit(
  { spec }: Pick<ModelEntry, 'spec'>,
  { reasoning }: Pick<Deployment, 'reasoning'>,
  body: JsonObject,
): FirstTokenLimit {
  const { first_token_ms: given } = spec.limits;
  if (given !== undefined) return { milliseconds: given, isRenewed: false };
  if (reasoning?.thinking === false) return { milliseconds: doesNotThink, isRenewed: true };
  const { reasoning_effort: effort } = body;
  const known = typeof effort === 'string' ? byEffort[effort] : undefined;
  return { milliseconds: known ?? (reasoning?.thinking === undefined ? unknown : thinks), isRenewed: true };
}
