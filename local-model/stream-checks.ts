/** Streams of chat completions, and calls whose client leaves. */
import { type Check, hello, holds, ownAnswer, type Scene, toolArguments } from './check.ts';

const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const story = [{ role: 'user' as const, content: 'Tell a very long story.' }];

async function chunksOf({ openai, model }: Scene, more: object = {}) {
  const asked = { model, messages: hello, max_tokens: 20, temperature: 0, stream: true as const, ...more };
  const chunks = [];
  for await (const chunk of await openai.chat.completions.create(asked)) chunks.push(chunk);
  return chunks;
}
type Chunks = Awaited<ReturnType<typeof chunksOf>>;
const textOf = (chunks: Chunks): string => chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
const reasonsOf = (chunks: Chunks) => chunks.flatMap(({ choices }) => choices.map((choice) => choice.finish_reason ?? [])).flat();

interface Slot {
  readonly is_processing: boolean;
  readonly next_token?: readonly { readonly n_decoded: number }[];
}

/** A story that nobody stops fills the 1,024 tokens of its slot. */
const wholeStory = 900;

/** Resolves when no slot of llama.cpp generates any more. Fails when one has generated the whole story. Counts tokens, not time. */
async function idle({ server }: Scene): Promise<void> {
  for (;;) {
    const slots = (await (await fetch(`${server}/slots`)).json()) as readonly Slot[];
    const busy = slots.filter((slot) => slot.is_processing);
    if (busy.length === 0) return;
    for (const { next_token: [token] = [] } of busy) holds((token?.n_decoded ?? 0) < wholeStory, token);
    // Each look restarts the second after which llama.cpp notices that nobody waits for a complete answer.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
  }
}

/** Begins a story of thousands of words, hears some of it, and leaves. */
async function leave({ openai, model }: Scene): Promise<void> {
  const asked = { model, messages: story, max_tokens: 3_000, ignore_eos: true, stream: true as const };
  const events = await openai.chat.completions.create(asked);
  let heard = 0;
  for await (const chunk of events) {
    heard += chunk.choices[0]?.delta.content?.length ?? 0;
    if (heard > 30) break;
  }
  events.controller.abort();
}

export const streamChecks: readonly Check[] = [
  {
    name: 'a stream says the same as a complete answer',
    async run(scene) {
      const asked = { model: scene.model, messages: hello, max_tokens: 20, temperature: 0 };
      const whole = (await scene.openai.chat.completions.create(asked)).choices[0]?.message.content;
      const streamed = textOf(await chunksOf(scene));
      holds(streamed === whole && streamed !== '', [streamed, whole]);
    },
  },
  {
    name: 'a stream has one id, one model and one finish reason',
    async run(scene) {
      const chunks = await chunksOf(scene);
      const heads = new Set(chunks.map(({ id, model, created }) => `${id} ${model} ${created}`));
      holds(heads.size === 1 && reasonsOf(chunks).length === 1, [...heads, ...reasonsOf(chunks)]);
    },
  },
  {
    name: 'a stream comes in many parts',
    async run(scene) {
      holds((await chunksOf(scene, { max_tokens: 30, messages: story })).length > 10, null);
    },
  },
  {
    name: 'the counts come last, when they are asked for',
    async run(scene) {
      const chunks = await chunksOf(scene, { stream_options: { include_usage: true } });
      holds((chunks.at(-1)?.usage?.completion_tokens ?? 0) > 0 && chunks.at(-1)?.choices.length === 0, chunks.at(-1));
    },
  },
  {
    name: 'no counts come unasked',
    async run(scene) {
      const chunks = await chunksOf(scene);
      holds(
        chunks.every(({ usage }) => usage === undefined || usage === null),
        chunks.at(-1),
      );
    },
  },
  {
    name: 'a streamed answer ends by length',
    async run(scene) {
      holds(reasonsOf(await chunksOf(scene, { max_tokens: 3, messages: story })).join() === 'length', null);
    },
  },
  {
    name: 'a stream of two choices keeps them apart',
    async run(scene) {
      const chunks = await chunksOf(scene, { n: 2, max_tokens: 4 });
      holds(
        new Set(chunks.flatMap(({ choices }) => choices.map(({ index }) => index))).size === 2 && reasonsOf(chunks).length === 2,
        chunks,
      );
    },
  },
  {
    name: 'a JSON Schema is kept in a stream',
    async run(scene) {
      const response_format = { type: 'json_schema', json_schema: { name: 'place', strict: true, schema } };
      const text = textOf(
        await chunksOf(scene, { max_tokens: 200, response_format, messages: [{ role: 'user', content: 'Name a city as JSON.' }] }),
      );
      holds(typeof (JSON.parse(text) as { city: unknown }).city === 'string', text);
    },
  },
  {
    name: 'a tool call streams the arguments that the server gives',
    async run(scene) {
      const tools = [{ type: 'function', function: { name: 'weather', parameters: schema } }];
      const asked = { max_tokens: 200, temperature: 0, tools, tool_choice: 'required' };
      const own = toolArguments(await ownAnswer(scene, { model: scene.model, messages: hello, ...asked }));
      const chunks = await chunksOf(scene, asked);
      const text = chunks.map(({ choices }) => choices[0]?.delta.tool_calls?.[0]?.function?.arguments ?? '').join('');
      holds(text === (own ?? '') && (own === null || reasonsOf(chunks).join() === 'tool_calls'), [own, text]);
    },
  },
  {
    name: 'no character is broken, whatever its bytes',
    async run(scene) {
      const messages = [{ role: 'user', content: 'Repeat: 苏州的牌楼 🏮🏮🏮' }];
      const text = textOf(await chunksOf(scene, { max_tokens: 60, messages, logit_bias: {} }));
      holds(text.isWellFormed(), text);
    },
  },
  {
    name: 'a client that leaves stops the generation',
    async run(scene) {
      await leave(scene);
      await idle(scene);
    },
  },
  {
    name: 'a call that was left is in the ledger as aborted, with what was generated',
    async run(scene) {
      await leave(scene);
      await idle(scene);
      const deadline = Date.now() + 60_000;
      for (;;) {
        const answer = await fetch(`${scene.gateway}/api/runs?limit=1`, { headers: { authorization: `Bearer ${scene.token}` } });
        const [run] = ((await answer.json()) as { data: { outcome: string; usage: { output_tokens: number } | null }[] }).data;
        if (run?.outcome === 'aborted' && (run.usage?.output_tokens ?? 0) > 0 && (run.usage?.output_tokens ?? 0) < 3_000) return;
        holds(Date.now() < deadline, run);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  },
  {
    name: 'a time limit of the client stops the generation',
    async run(scene) {
      const asked = { model: scene.model, messages: story, max_tokens: 3_000, ignore_eos: true };
      const error = await scene.openai.chat.completions.create(asked, { timeout: 1_000 }).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      holds(error !== null, 'an answer');
      await idle(scene);
    },
  },
  {
    name: 'eight calls at once are all answered',
    async run(scene) {
      const texts = await Promise.all(Array.from({ length: 8 }, async () => textOf(await chunksOf(scene))));
      holds(
        texts.every((text) => text !== ''),
        texts,
      );
    },
  },
];
