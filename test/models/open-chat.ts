/** One chat with a vendor through the model adapter alone, read batch by batch. */
import type { AnswerReceiver } from '../../src/models/answer-receiver.ts';
import type { ModelInvoker } from '../../src/models/invoke.ts';
import type { ChatEvent, ChatRequest } from '../../src/types/chat.ts';
import type { Deployment } from '../../src/types/snapshot.ts';

type Batch = readonly ChatEvent[];

export interface OpenChat {
  readonly status: number;
  readonly warnings: readonly string[];
  readonly events: AsyncIterable<Batch>;
}

export interface OpenChatOptions {
  readonly stream: boolean;
  readonly signal?: AbortSignal;
  readonly prefill?: string;
}

/** Resolves when the vendor has accepted the request. Leaving the loop over the events ends the call at the vendor. */
export async function openChat(
  invoker: ModelInvoker,
  deployment: Deployment,
  request: ChatRequest,
  { stream, signal, prefill }: OpenChatOptions,
): Promise<OpenChat> {
  const batches: Batch[] = [];
  let isOver = false;
  let failure: { readonly thrown: unknown } | null = null;
  let wake = (): void => {};
  const more = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  const accepted = Promise.withResolvers<number>();
  // A call that is refused before it is sent throws, and no code awaits this promise when its time limit ends later.
  accepted.promise.catch(() => {});
  const fail = (thrown: unknown): void => {
    failure ??= { thrown };
    accepted.reject(thrown);
    wake();
  };
  let receiver: AnswerReceiver | null = null;
  signal?.addEventListener('abort', () => {
    receiver?.abort();
    fail(signal.reason);
  });
  receiver = invoker.chat(
    deployment,
    request,
    { stream, scope: 'tests', prefill },
    {
      alive() {},
      accepted: (status) => accepted.resolve(status),
      batch(events) {
        batches.push(events);
        wake();
      },
      end() {
        isOver = true;
        wake();
      },
      fail,
    },
  );
  const open = receiver;
  const read = async function* (): AsyncGenerator<Batch> {
    try {
      for (;;) {
        const batch = batches.shift();
        if (batch !== undefined) {
          yield batch;
          if (batch.at(-1)?.type === 'response-end') return;
        } else if (failure !== null) throw failure.thrown;
        else if (isOver) return;
        else await more();
      }
    } finally {
      open.abort();
    }
  };
  return { status: await accepted.promise, warnings: open.warnings, events: read() };
}
