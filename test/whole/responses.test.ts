/** OpenAI's client and the ai SDK on /v1/responses, against the whole gateway, whose vendor speaks chat completions. */
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, isStepCount, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkResponse, checkResponseStream } from '../contract/strict-responses.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { chunks, completion, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;
let openai: OpenAI;

const setUp = async (extra: Record<string, string> = {}): Promise<TestGateway> => {
  const started = await startGateway(extra);
  const provider = await started.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  expect(provider.status, provider.text).toBe(201);
  // Separate names for failing models, because a failed deployment is avoided for a while.
  for (const name of ['team/model', 'busy']) {
    const model = await started.as('admin', 'POST', '/api/models', { name, spec: { deployments: [{ provider: 'vendor', model: name }] } });
    expect(model.status, model.text).toBe(201);
  }
  return started;
};
const clientFor = async (role: 'developer' | 'user' | 'viewer', at: TestGateway = gateway): Promise<OpenAI> =>
  new OpenAI({ baseURL: `${at.url}/v1`, apiKey: await at.token(role), maxRetries: 0 });

beforeAll(async () => {
  vendor = await startVendor();
  gateway = await setUp();
  openai = await clientFor('developer');
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const model = 'team/model';

function answerWhole(...answers: readonly string[]): void {
  let round = 0;
  vendor.behave((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(answers[Math.min(round++, answers.length - 1)]);
  });
}

function delta(given: object, finish: string | null = null): string {
  return `data: ${JSON.stringify({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'u', choices: [{ index: 0, delta: given, finish_reason: finish }] })}\n\n`;
}

function answerStream(parts: readonly string[]): void {
  vendor.behave((_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(parts.join('')));
}

const weather = {
  type: 'function' as const,
  name: 'weather',
  description: 'The weather of a city.',
  strict: false,
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
};
const call = { tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"苏州"}' } }] };

describe("OpenAI's client", () => {
  it('gets a whole response, and the vendor gets a chat completion request', async () => {
    answerWhole(completion('你好 👋'));
    const response = await openai.responses.create({
      model,
      instructions: 'Be brief.',
      input: 'Hi',
      max_output_tokens: 50,
      metadata: { case: '7' },
      reasoning: { effort: 'low' },
    });
    expect(response.output_text).toBe('你好 👋');
    expect(response).toMatchObject({
      model,
      status: 'completed',
      instructions: 'Be brief.',
      max_output_tokens: 50,
      metadata: { case: '7' },
      store: true,
      usage: { input_tokens: 5, output_tokens: 2, total_tokens: 7 },
    });
    expect(checkResponse(response)).toEqual([]);
    const asked = vendor.requests.at(-1);
    expect(asked?.path).toBe('/v1/chat/completions');
    expect(asked?.body).toEqual({
      model,
      stream: undefined,
      max_tokens: 50,
      reasoning_effort: 'low',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
    });
  });

  it('streams with its helper', async () => {
    answerStream(chunks(['Hello ', 'there']));
    const stream = openai.responses.stream({ model, input: 'Hi' });
    let text = '';
    stream.on('response.output_text.delta', (event) => (text += event.delta));
    const final = await stream.finalResponse();
    expect(text).toBe('Hello there');
    expect(final.output_text).toBe('Hello there');
    expect(final.usage?.total_tokens).toBe(7);
  });

  it('calls tools, sends the results back and gets the final answer', async () => {
    answerStream([
      delta({ role: 'assistant', reasoning_content: 'Rain?' }),
      delta({ content: 'I look.' }),
      delta({ tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":' } }] }),
      delta({ tool_calls: [{ index: 1, id: 'c2', type: 'function', function: { name: 'clock', arguments: '' } }] }),
      delta({ tool_calls: [{ index: 0, function: { arguments: '"苏州"}' } }] }),
      delta({}, 'tool_calls'),
      'data: [DONE]\n\n',
    ]);
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'Weather?' }];
    const tools = [weather, { ...weather, name: 'clock' }];
    const first = await openai.responses.stream({ model, input, tools, tool_choice: 'required', store: false }).finalResponse();
    expect(first.output).toMatchObject([
      { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'Rain?' }] },
      { type: 'message', content: [{ text: 'I look.' }] },
      { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{"city":"苏州"}' },
      { type: 'function_call', call_id: 'c2', name: 'clock', arguments: '{}' },
    ]);
    expect(vendor.requests.at(-1)?.body).toMatchObject({
      tool_choice: 'required',
      tools: [{ type: 'function', function: { name: 'weather' } }, {}],
    });
    answerWhole(completion('Rain at noon'));
    const second = await openai.responses.create({
      model,
      tools,
      store: false,
      input: [
        ...input,
        ...(first.output as OpenAI.Responses.ResponseInput),
        { type: 'function_call_output', call_id: 'c1', output: 'rain' },
        { type: 'function_call_output', call_id: 'c2', output: [{ type: 'input_text', text: '12:00' }] },
      ],
    });
    expect(second.output_text).toBe('Rain at noon');
    expect(vendor.requests.at(-1)?.body.messages).toEqual([
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: 'I look.',
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"苏州"}' } },
          { id: 'c2', type: 'function', function: { name: 'clock', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'rain' },
      { role: 'tool', tool_call_id: 'c2', content: '12:00' },
    ]);
  });

  it('continues from an earlier response, over two more calls, and reads and deletes it', async () => {
    answerWhole(completion(null, call, 'tool_calls'));
    const first = await openai.responses.create({ model, instructions: 'Be brief.', input: 'Weather?', tools: [weather] });
    answerStream(chunks(['Rain']));
    const second = await openai.responses
      .stream({
        model,
        previous_response_id: first.id,
        input: [{ type: 'function_call_output', call_id: 'c1', output: 'rain' }],
        tools: [weather],
      })
      .finalResponse();
    expect(second.previous_response_id).toBe(first.id);
    answerWhole(completion('Bring one'));
    const third = await openai.responses.create({ model, previous_response_id: second.id, instructions: 'Be kind.', input: 'Umbrella?' });
    expect(third.output_text).toBe('Bring one');
    // Instructions are not inherited; everything else is.
    expect(vendor.requests.at(-1)?.body.messages).toEqual([
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: null, tool_calls: call.tool_calls },
      { role: 'tool', tool_call_id: 'c1', content: 'rain' },
      { role: 'assistant', content: 'Rain' },
      { role: 'user', content: 'Umbrella?' },
    ]);
    expect(await openai.responses.retrieve(third.id)).toMatchObject({ id: third.id, output_text: 'Bring one' });
    await openai.responses.delete(third.id);
    await expect(openai.responses.retrieve(third.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(openai.responses.delete(third.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('gets equal answers for an unknown response and for another caller’s', async () => {
    answerWhole(completion('mine'));
    const { id } = await openai.responses.create({ model, input: 'Hi' });
    const other = await clientFor('user');
    const unknown = `resp_${'0'.repeat(32)}`;
    const failure = async (what: Promise<unknown>) =>
      String(await what.catch((error: unknown) => `${(error as Error).constructor.name} ${(error as Error).message}`));
    for (const ask of [
      (given: string) => failure(other.responses.retrieve(given)),
      (given: string) => failure(other.responses.delete(given)),
      (given: string) => failure(other.responses.create({ model, input: 'Hi', previous_response_id: given })),
    ]) {
      const [theirs, nobodys] = [await ask(id), await ask(unknown)];
      expect(nobodys).toContain(`with id '${unknown}' not found.`);
      expect(theirs).toBe(nobodys.replaceAll(unknown, id));
    }
    expect((await openai.responses.retrieve(id)).output_text).toBe('mine');
  });

  it('stores nothing with store: false', async () => {
    answerWhole(completion('gone'));
    const response = await openai.responses.create({ model, input: 'Hi', store: false });
    expect((response as { store?: boolean }).store).toBe(false);
    await expect(openai.responses.retrieve(response.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(openai.responses.create({ model, input: 'Hi', previous_response_id: response.id })).rejects.toBeInstanceOf(
      OpenAI.NotFoundError,
    );
  });

  it('resolves references to stored items', async () => {
    answerWhole(completion('one'));
    const first = await openai.responses.create({ model, input: 'Hi' });
    const reference = { type: 'item_reference' as const, id: first.output[0]?.id ?? '' };
    answerWhole(completion('two'));
    await openai.responses.create({ model, input: [{ role: 'user', content: 'Hi' }, reference, { role: 'user', content: 'Again' }] });
    expect(vendor.requests.at(-1)?.body.messages).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'one' },
      { role: 'user', content: 'Again' },
    ]);
    await expect(openai.responses.create({ model, input: [{ type: 'item_reference', id: 'msg_1' }] })).rejects.toMatchObject({
      constructor: OpenAI.NotFoundError,
      param: 'input[0].id',
    });
  });

  it('returns encrypted reasoning through encrypted_content', async () => {
    answerWhole(completion('Yes', { reasoning_content: 'Hm' }));
    const first = await openai.responses.create({
      model,
      input: 'Hi',
      store: false,
      reasoning: { summary: 'auto' },
      include: ['reasoning.encrypted_content'],
    });
    expect(first.output[0]).toMatchObject({ type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: null });
  });

  it('parses an answer by its schema', async () => {
    answerWhole(completion('{"city":"Suzhou"}'));
    const schema = { type: 'object', properties: { city: { type: 'string' } } };
    const response = await openai.responses.parse({
      model,
      input: 'Where?',
      text: { format: { type: 'json_schema', name: 'place', strict: true, schema } },
    });
    expect(response.output_parsed).toEqual({ city: 'Suzhou' });
    expect(vendor.requests.at(-1)?.body.response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'place', strict: true, schema },
    });
  });

  it('sees that an answer is incomplete', async () => {
    answerWhole(completion('half', {}, 'length'));
    const cut = await openai.responses.create({ model, input: 'Hi' });
    expect(cut).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
    answerStream(chunks(['never'], 'content_filter'));
    const filtered = await openai.responses.stream({ model, input: 'Hi' }).finalResponse();
    expect(filtered).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } });
  });

  it('aborts, and the vendor notices at once', async () => {
    const before = vendor.aborts;
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunks(['one ']).slice(0, 2).join(''));
    });
    const stream = await openai.responses.create({ model, input: 'Hi', stream: true });
    for await (const event of stream) if (event.type === 'response.output_text.delta') break;
    stream.controller.abort();
    await eventually(
      async () => vendor.aborts,
      (aborts) => aborts === before + 1,
      2_000,
    );
  });

  it('sees the error of a cut vendor stream, and never a partial answer as complete', async () => {
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunks(['half ']).slice(0, 2).join(''), () => response.destroy());
    });
    const types: string[] = [];
    const run = async (): Promise<void> => {
      for await (const event of await openai.responses.create({ model, input: 'Hi', stream: true })) types.push(event.type);
    };
    await run().catch(() => types.push('thrown'));
    expect(types).not.toContain('response.completed');
    expect(types.some((type) => type === 'error' || type === 'thrown')).toBe(true);
    await expect(openai.responses.stream({ model, input: 'Hi' }).finalResponse()).rejects.toThrow(/cut|short|ended/i);
  });

  it('throws its own error classes, and gets errors for features that only OpenAI has, by name', async () => {
    await expect(openai.responses.create({ model: 'team/modle', input: 'Hi' })).rejects.toMatchObject({
      constructor: OpenAI.NotFoundError,
      code: 'model_not_found',
    });
    const viewer = await clientFor('viewer');
    await expect(viewer.responses.create({ model, input: 'Hi' })).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
    vendor.behave((_request, response) => void response.writeHead(429, { 'retry-after': '7' }).end('{}'));
    await expect(openai.responses.create({ model: 'busy', input: 'Hi' })).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    const refused = async (body: object, param: string) => {
      await expect(openai.responses.create({ model, input: 'Hi', ...body })).rejects.toMatchObject({
        constructor: OpenAI.BadRequestError,
        code: 'unsupported_parameter',
        param,
      });
    };
    await refused({ background: true }, 'background');
    await refused({ conversation: 'conv_1' }, 'conversation');
    await refused({ input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }] }, 'input[0].content[0].file_id');
  });
});

describe('the ai SDK with its default model', () => {
  const provider = async () => createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token('developer') });

  it('generates and streams', async () => {
    answerWhole(completion('fine'));
    expect((await generateText({ model: (await provider())(model), prompt: 'How are you?' })).text).toBe('fine');
    answerStream(chunks(['a ', 'b']));
    const result = streamText({ model: (await provider())(model), prompt: 'Stream' });
    expect(await result.text).toBe('a b');
    expect((await result.usage).totalTokens).toBe(7);
  });

  it('runs a loop of tools, with its references to earlier items', async () => {
    answerWhole(completion('I look.', call, 'tool_calls'), completion('Rain in 苏州'));
    const result = await generateText({
      model: (await provider())(model),
      prompt: 'Weather?',
      tools: { weather: tool({ inputSchema: z.object({ city: z.string() }), execute: ({ city }) => `rain in ${city}` }) },
      stopWhen: isStepCount(3),
    });
    expect(result.text).toBe('Rain in 苏州');
    expect(vendor.requests.at(-1)?.body.messages).toEqual([
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: 'I look.', tool_calls: call.tool_calls },
      { role: 'tool', tool_call_id: 'c1', content: 'rain in 苏州' },
    ]);
  });
});

it('every stream matches the contract', async () => {
  answerStream(chunks(['天', '地 ', '🐉']));
  const answer = await gateway.as('developer', 'POST', '/v1/responses', { model, stream: true, input: 'Hi' });
  expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
  expect(answer.headers.get('x-pailou-deployment')).toBe('team/model#vendor/team/model');
  expect(checkResponseStream(answer.text)).toEqual([]);
});

it('a gateway without stored responses reports that, and still answers', async () => {
  const other = await setUp({ PAILOU_RESPONSES_STORE: 'off' });
  try {
    const client = await clientFor('developer', other);
    answerWhole(completion('fine'));
    const response = await client.responses.create({ model, input: 'Hi' });
    expect(response).toMatchObject({ output_text: 'fine', store: false });
    await expect(client.responses.create({ model, input: 'Hi', previous_response_id: response.id })).rejects.toMatchObject({
      constructor: OpenAI.BadRequestError,
      param: 'previous_response_id',
      message: expect.stringContaining('PAILOU_RESPONSES_STORE=off'),
    });
    await expect(client.responses.retrieve(response.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  } finally {
    await other[Symbol.asyncDispose]();
  }
});
