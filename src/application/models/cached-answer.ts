/** Answers from before: looked for, admitted and told of, whatever was asked. */
import type { AnswerPlace, CachedAnswer } from '../../cache/answer-cache.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ModelEntry } from '../../types/snapshot.ts';
import { callContext } from './call-context.ts';
import type { Caller } from '../caller.ts';
import type { CallServices } from '../services.ts';

/** Null where none is there, which the caller is told. */
export async function findCachedAnswer<T>(caller: Caller, place: AnswerPlace<T>): Promise<CachedAnswer<T> | null> {
  const kept = await place.find();
  if (kept === null) caller.tell({ 'x-pailou-cache': 'miss' });
  return kept;
}

/** Admits a call that nobody will be asked for: it counts as a request and uses nothing. Tells the caller how old the answer is. */
export async function admitCachedAnswer(
  services: CallServices,
  caller: Caller,
  run: Run,
  model: ModelEntry,
  kept: CachedAnswer<unknown>,
): Promise<void> {
  const context = callContext(services, caller, run, { stream: false, size: () => null });
  await context.admit(model);
  run.answeredFromCache();
  const age = Math.max(0, Math.floor((Date.now() - kept.keptAt) / 1_000));
  caller.tell({ 'x-pailou-cache': 'hit', age: String(age) });
}

/** True if the model itself answered: the next caller may have no right to the fallback that did. */
export function isOwnAnswer(model: ModelEntry, deployment: string): boolean {
  return model.deployments.some(({ id }) => id === deployment);
}
