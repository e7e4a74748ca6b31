/** A chat of a model with a cache: returns a cached answer, or stores the new one. */
import { askedOf } from '../../cache/answer-key.ts';
import { isCacheable } from '../../cache/cacheable.ts';
import { reasoningRecorder } from '../../models/reasoning-memory.ts';
import { personKey } from '../../types/access.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ChatEvent } from '../../types/chat.ts';
import type { ModelEntry } from '../../types/snapshot.ts';
import { endRunWithError, recordReplay } from './recorded-run.ts';
import { keepAnswer } from './kept-answer.ts';
import type { Caller } from '../caller.ts';
import type { ParsedCall } from '../chat/chat-body.ts';
import { invokeModel, type ModelCall, openRun } from './invoke-model.ts';
import { admitCachedAnswer, findCachedAnswer, isOwnAnswer } from './cached-answer.ts';
import type { CallServices } from '../services.ts';

type Events = readonly ChatEvent[];

/** The number of events per batch when a cached answer is replayed. */
const batchSize = 16;

async function* replayed(run: Run, events: Events, remember: (batch: Events) => void): AsyncGenerator<Events> {
  run.firstToken();
  for (let at = 0; at < events.length; at += batchSize) {
    const batch = events.slice(at, at + batchSize);
    remember(batch);
    yield batch;
  }
}

/** As `invokeModel`, for a caller's own call. Not for calls of skills or tool loops, which have effects between their steps. */
export async function cachedChat(services: CallServices, caller: Caller, model: ModelEntry, chat: ParsedCall): Promise<ModelCall> {
  const { request, stream } = chat;
  const place = isCacheable(request)
    ? services.answers.place<Events>(model, caller.principal, {
        operation: 'chat',
        asked: askedOf(request),
        cacheControl: caller.cacheControl,
      })
    : null;
  if (place === null) return invokeModel(services, caller, model, request, { stream });
  const cached = await findCachedAnswer(caller, place);
  if (cached !== null) {
    const run = openRun(services, caller, null, `model/${model.name}`, 'chat', stream);
    try {
      await admitCachedAnswer(services, caller, run, model, cached);
    } catch (thrown) {
      endRunWithError(run, thrown);
      throw thrown;
    }
    // The receiver of a replayed answer continues from it, and may differ from the first receiver.
    const events = replayed(run, cached.value, reasoningRecorder(personKey(caller.principal), services.thoughts));
    return { run, deployment: 'cache', attempts: 0, warnings: cached.warnings, events: recordReplay(run, events) };
  }
  // Sends what was compared. The caller's own bytes may contain a member twice, and a vendor could read the other one.
  const { raw: _bytes, ...compared } = request;
  const call = await invokeModel(services, caller, model, compared, { stream });
  if (!isOwnAnswer(model, call.deployment)) return call;
  const { n } = request.body;
  return { ...call, events: keepAnswer(call.events, place, typeof n === 'number' ? n : 1, call.warnings) };
}
