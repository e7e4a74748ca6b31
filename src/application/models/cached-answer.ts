/** Finds, admits and reports cached answers of any operation. */
import type { AnswerPlace, CachedAnswer } from '../../cache/answer-cache.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ModelEntry } from '../../types/snapshot.ts';
import { callContext } from './call-context.ts';
import type { Caller } from '../caller.ts';
import type { CallServices } from '../services.ts';

/** Looks the answer up in the cache. On a miss it returns null and sets the header `x-pailou-cache: miss`. */
export async function findCachedAnswer<T>(caller: Caller, place: AnswerPlace<T>): Promise<CachedAnswer<T> | null> {
  const cached = await place.find();
  if (cached === null) caller.setHeaders({ 'x-pailou-cache': 'miss' });
  return cached;
}

/** Admits a call that is answered from the cache. It counts as a request and uses no tokens. Sets the headers `x-pailou-cache: hit` and `age`. */
export async function admitCachedAnswer(
  services: CallServices,
  caller: Caller,
  run: Run,
  model: ModelEntry,
  cached: CachedAnswer<unknown>,
): Promise<void> {
  const context = callContext(services, caller, run, { stream: false, size: () => null });
  await context.admit(model);
  run.answeredFromCache();
  const age = Math.max(0, Math.floor((Date.now() - cached.keptAt) / 1_000));
  caller.setHeaders({ 'x-pailou-cache': 'hit', age: String(age) });
}

/** True if the model itself answered. The next caller may have no right to a fallback. */
export function isOwnAnswer(model: ModelEntry, deployment: string): boolean {
  return model.deployments.some(({ id }) => id === deployment);
}
