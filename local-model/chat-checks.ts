/** Complete answers of chat completions. */
import { type Check, hello, holds, ownAnswer, refused, toolArguments } from './check.ts';

const counting = [{ role: 'user' as const, content: 'Count from one to one hundred in words.' }];
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const format = { type: 'json_schema' as const, json_schema: { name: 'place', strict: true, schema } };
const place = [{ role: 'user' as const, content: 'Name a city as JSON.' }];
const tools = [{ type: 'function' as const, function: { name: 'weather', description: 'The weather in a city.', parameters: schema } }];
const city = (text: string | null | undefined): unknown => (JSON.parse(text ?? '') as { city?: unknown }).city;

export const chatChecks: readonly Check[] = [
  {
    name: 'an answer has words, one choice and a finish reason',
    async run({ openai, model }) {
      const { choices } = await openai.chat.completions.create({ model, messages: hello, max_tokens: 40 });
      holds(choices.length === 1 && (choices[0]?.message.content ?? '') !== '' && choices[0]?.finish_reason !== null, choices);
    },
  },
  {
    name: 'the counts are those of the server, and their sum is right',
    async run({ openai, model }) {
      const { usage } = await openai.chat.completions.create({ model, messages: hello, max_tokens: 8 });
      const { prompt_tokens: input = 0, completion_tokens: output = 0, total_tokens: total = 0 } = usage ?? {};
      holds(input > 5 && output > 0 && output <= 8 && total === input + output && !('estimated' in (usage ?? {})), usage);
    },
  },
  {
    name: 'the model has its public name, and the deployment is in a header',
    async run({ openai, model }) {
      const { data, response } = await openai.chat.completions.create({ model, messages: hello, max_tokens: 2 }).withResponse();
      holds(data.model === model && response.headers.get('x-pailou-deployment') !== null, [data.model, [...response.headers]]);
    },
  },
  {
    name: 'max_tokens ends an answer by length',
    async run({ openai, model }) {
      const { choices, usage } = await openai.chat.completions.create({ model, messages: counting, max_tokens: 5 });
      holds(choices[0]?.finish_reason === 'length' && usage?.completion_tokens === 5, { choices, usage });
    },
  },
  {
    name: 'max_completion_tokens does the same',
    async run({ openai, model }) {
      const { choices } = await openai.chat.completions.create({ model, messages: counting, max_completion_tokens: 5 });
      holds(choices[0]?.finish_reason === 'length', choices);
    },
  },
  {
    name: 'a system message is accepted',
    async run({ openai, model }) {
      const messages = [{ role: 'system' as const, content: 'You are brief.' }, ...hello];
      holds((await openai.chat.completions.create({ model, messages, max_tokens: 8 })).choices.length === 1, null);
    },
  },
  {
    name: 'a developer message is accepted',
    async run({ openai, model }) {
      const messages = [{ role: 'developer' as const, content: 'You are brief.' }, ...hello];
      holds((await openai.chat.completions.create({ model, messages, max_tokens: 8 })).choices.length === 1, null);
    },
  },
  {
    name: 'a conversation of several turns is accepted, and counts more',
    async run({ openai, model }) {
      const messages = [...hello, { role: 'assistant' as const, content: 'Hello.' }, ...counting];
      const one = await openai.chat.completions.create({ model, messages: hello, max_tokens: 2 });
      const more = await openai.chat.completions.create({ model, messages, max_tokens: 2 });
      holds((more.usage?.prompt_tokens ?? 0) > (one.usage?.prompt_tokens ?? 0), [one.usage, more.usage]);
    },
  },
  {
    name: 'parts of text are accepted',
    async run({ openai, model }) {
      const messages = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Say hello.' }] }];
      holds((await openai.chat.completions.create({ model, messages, max_tokens: 4 })).choices.length === 1, null);
    },
  },
  {
    name: 'temperature 0 and a seed give the same words twice',
    async run({ openai, model }) {
      const ask = () => openai.chat.completions.create({ model, messages: counting, max_tokens: 20, temperature: 0, seed: 7 });
      const [one, two] = [await ask(), await ask()].map(({ choices }) => choices[0]?.message.content);
      holds(one === two && one !== '', [one, two]);
    },
  },
  {
    name: 'a stop sequence ends the answer before it',
    async run({ openai, model }) {
      const { choices } = await openai.chat.completions.create({ model, messages: counting, max_tokens: 60, temperature: 0, stop: [' '] });
      holds(choices[0]?.finish_reason === 'stop' && !(choices[0].message.content ?? ' ').includes(' '), choices);
    },
  },
  {
    name: 'n gives as many choices',
    async run({ openai, model }) {
      const { choices } = await openai.chat.completions.create({ model, messages: hello, max_tokens: 5, n: 2 });
      holds(choices.map(({ index }) => index).join() === '0,1', choices);
    },
  },
  {
    name: 'logprobs come with their alternatives',
    async run({ openai, model }) {
      const { choices } = await openai.chat.completions.create({ model, messages: hello, max_tokens: 3, logprobs: true, top_logprobs: 2 });
      const tokens = choices[0]?.logprobs?.content ?? [];
      holds(tokens.length > 0 && tokens.every(({ logprob, top_logprobs: top }) => logprob <= 0 && top.length === 2), tokens);
    },
  },
  {
    name: 'json_object gives JSON',
    async run({ openai, model }) {
      const asked = { model, messages: place, max_tokens: 200, temperature: 0, response_format: { type: 'json_object' as const } };
      const [choice] = (await openai.chat.completions.create(asked)).choices;
      // The small model may go on until its last token.
      if (choice?.finish_reason === 'length') holds(choice.message.content?.trimStart().startsWith('{') === true, choice);
      else JSON.parse(choice?.message.content ?? '');
    },
  },
  {
    name: 'a JSON Schema is kept',
    async run({ openai, model }) {
      const answer = await openai.chat.completions.create({
        model,
        messages: place,
        max_tokens: 200,
        temperature: 0,
        response_format: format,
      });
      holds(typeof city(answer.choices[0]?.message.content) === 'string', answer.choices);
    },
  },
  {
    name: 'a required tool is called as the server calls it',
    async run(scene) {
      const asked = { model: scene.model, messages: place, max_tokens: 200, temperature: 0, tools, tool_choice: 'required' as const };
      const own = toolArguments(await ownAnswer(scene, asked));
      const [choice] = (await scene.openai.chat.completions.create(asked)).choices;
      holds(toolArguments(choice) === own && (own === null || choice?.finish_reason === 'tool_calls'), [own, choice]);
    },
  },
  {
    name: 'the result of a tool is accepted in the next turn',
    async run({ openai, model }) {
      const call = { id: 'call_1', type: 'function' as const, function: { name: 'weather', arguments: '{"city":"Suzhou"}' } };
      const messages = [
        ...place,
        { role: 'assistant' as const, content: null, tool_calls: [call] },
        { role: 'tool' as const, tool_call_id: 'call_1', content: 'Sunny.' },
      ];
      holds((await openai.chat.completions.create({ model, messages, max_tokens: 8, tools })).choices.length === 1, null);
    },
  },
  {
    name: 'a picture is refused as unsupported, and not tried again',
    async run({ openai, model }) {
      const url = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
      const messages = [{ role: 'user' as const, content: [{ type: 'image_url' as const, image_url: { url } }] }];
      await refused(openai.chat.completions.create({ model, messages }), 400, 'unsupported_parameter');
    },
  },
  {
    name: 'an input beyond the context is refused as such',
    async run({ openai, model }) {
      const messages = [{ role: 'user' as const, content: 'word '.repeat(6_000) }];
      await refused(openai.chat.completions.create({ model, messages, max_tokens: 5 }), 400, 'context_length_exceeded');
    },
  },
];
