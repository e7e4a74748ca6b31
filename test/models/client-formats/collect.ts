/** The whole answer of some events, in each client format. */
import { type CompletionOptions, createCompletionCollector } from '../../../src/models/client-formats/chat-completions/emitter.ts';
import { createMessageCollector, type MessageOptions } from '../../../src/models/client-formats/messages/emitter.ts';
import { createResponseCollector, type ResponseOptions } from '../../../src/models/client-formats/responses/emitter.ts';
import type { ChatEvents } from '../../../src/types/chat.ts';

async function collect(events: ChatEvents, collector: ReturnType<typeof createCompletionCollector>): Promise<string> {
  for await (const batch of events) collector.add(batch);
  return collector.text();
}

export const collectCompletion = (events: ChatEvents, options: CompletionOptions): Promise<string> =>
  collect(events, createCompletionCollector(options));

export const collectMessage = (events: ChatEvents, options: MessageOptions): Promise<string> =>
  collect(events, createMessageCollector(options));

export const collectResponse = (events: ChatEvents, options: ResponseOptions): Promise<string> =>
  collect(events, createResponseCollector(options));
