/** The list of models, the Responses API, and refusals. */
import { type Check, hello, holds, refused } from './check.ts';

export const otherChecks: readonly Check[] = [
  {
    name: 'the list of models has the model',
    async run({ openai, model }) {
      const { data } = await openai.models.list();
      holds(
        data.some(({ id }) => id === model),
        data,
      );
    },
  },
  {
    name: 'the model can be retrieved',
    async run({ openai, model }) {
      holds((await openai.models.retrieve(model)).id === model, null);
    },
  },
  {
    name: 'the Responses API answers',
    async run({ openai, model }) {
      const { output_text: text, status, usage } = await openai.responses.create({ model, input: 'Say hello.', max_output_tokens: 200 });
      holds(text !== '' && (usage?.output_tokens ?? 0) > 0 && status !== undefined, { text, status, usage });
    },
  },
  {
    name: 'the Responses API says that an answer is incomplete',
    async run({ openai, model }) {
      const answer = await openai.responses.create({ model, input: 'Tell a long story.', instructions: 'Be long.', max_output_tokens: 16 });
      holds(answer.status === 'incomplete' && answer.incomplete_details?.reason === 'max_output_tokens', answer.status);
    },
  },
  {
    name: 'the Responses API streams',
    async run({ openai, model }) {
      let text = '';
      const events = await openai.responses.create({ model, input: 'Say hello.', max_output_tokens: 100, stream: true });
      for await (const event of events) {
        if (event.type === 'response.output_text.delta') text += event.delta;
        else if (event.type === 'response.completed') holds(event.response.output_text === undefined || text !== '', event);
      }
      holds(text !== '', text);
    },
  },
  {
    name: 'the Responses API continues a stored answer',
    async run({ openai, model }) {
      const first = await openai.responses.create({ model, input: 'My name is Ming.', max_output_tokens: 20 });
      const next = await openai.responses.create({ model, input: 'Hello?', previous_response_id: first.id, max_output_tokens: 20 });
      holds((next.usage?.input_tokens ?? 0) > (first.usage?.input_tokens ?? 0), [first.usage, next.usage]);
    },
  },
  {
    name: 'an unknown model is refused by name',
    run: ({ openai }) => refused(openai.chat.completions.create({ model: 'nothing', messages: hello }), 404, 'model_not_found'),
  },
  {
    name: 'an unknown role is refused',
    run: ({ openai, model }) =>
      refused(openai.chat.completions.create({ model, messages: [{ role: 'usr' as never, content: 'x' }] }), 400, 'invalid_request'),
  },
];
