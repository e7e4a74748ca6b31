/** Unmodified clients against the whole gateway. */
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkStream, checkCompletion } from '../contract/strict-chat.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { chunks, completion, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;
let openai: OpenAI;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const provider = await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url, api_key: 'vendor-key' } },
  });
  expect(provider.status, provider.text).toBe(201);
  for (const [name, operation] of [
    ['team/model', 'chat'],
    ['team/vectors', 'embeddings'],
  ]) {
    const spec = { operations: [operation], deployments: [{ provider: 'vendor', model: 'upstream-1' }] };
    const model = await gateway.as('admin', 'POST', '/api/models', { name, spec });
    expect(model.status, model.text).toBe(201);
  }
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token('developer'), maxRetries: 0 });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const weather = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
};

describe('the openai client', () => {
  it('gets a whole answer, and the vendor gets its own model name and key', async () => {
    vendor.behave((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(completion('你好 👋')));
    const answer = await openai.chat.completions.create({ model: 'team/model', messages: [{ role: 'user', content: 'Hi' }], seed: 7 });
    expect(answer.choices[0]?.message.content).toBe('你好 👋');
    expect(answer.model).toBe('team/model');
    expect(answer.usage?.total_tokens).toBe(7);
    const asked = vendor.requests.at(-1);
    expect(asked?.body).toMatchObject({ model: 'upstream-1', seed: 7 });
    expect(asked?.headers.authorization).toBe('Bearer vendor-key');
    expect(checkCompletion(answer)).toEqual([]);
  });

  it('streams, with usage where requested', async () => {
    vendor.behave(
      (_request, response) =>
        void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chunks(['Hello ', 'there']).join('')),
    );
    const stream = await openai.chat.completions.create({
      model: 'team/model',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'Hi' }],
    });
    let text = '';
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe('Hello there');
    expect(usage?.total_tokens).toBe(7);
  });

  it('calls tools with its own helper and gets the final answer', async () => {
    let round = 0;
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      round++;
      response.end(
        round === 1
          ? completion(
              null,
              { tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Suzhou"}' } }] },
              'tool_calls',
            )
          : completion('Sunny in Suzhou'),
      );
    });
    const runner = openai.chat.completions.runTools({
      model: 'team/model',
      messages: [{ role: 'user', content: 'Weather?' }],
      tools: [
        {
          type: 'function',
          function: {
            ...weather.function,
            parse: (text: string): { city: string } => JSON.parse(text),
            function: (input: { city: string }) => `sunny in ${input.city}`,
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe('Sunny in Suzhou');
  });

  it('passes a JSON schema unchanged and parses the answer', async () => {
    vendor.behave(
      (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(completion('{"city":"Suzhou"}')),
    );
    const format = {
      type: 'json_schema' as const,
      json_schema: { name: 'place', strict: true, schema: { type: 'object', properties: { city: { type: 'string' } } } },
    };
    const answer = await openai.chat.completions.parse({
      model: 'team/model',
      messages: [{ role: 'user', content: 'Where?' }],
      response_format: format,
    });
    expect(vendor.requests.at(-1)?.body.response_format).toEqual(format);
    expect(answer.choices[0]?.message.content).toBe('{"city":"Suzhou"}');
  });

  it('aborts, and the vendor notices at once', async () => {
    const before = vendor.aborts;
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunks(['one ']).slice(0, 2).join(''));
    });
    const stream = await openai.chat.completions.create({ model: 'team/model', stream: true, messages: [{ role: 'user', content: 'Hi' }] });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    stream.controller.abort();
    await eventually(
      async () => vendor.aborts,
      (aborts) => aborts === before + 1,
      2_000,
    );
  });

  it('throws its own error classes with code and request id', async () => {
    const ask = (client: OpenAI, model: string) => client.chat.completions.create({ model, messages: [{ role: 'user', content: 'Hi' }] });
    const wrongToken = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'nonsense', maxRetries: 0 });
    await expect(ask(wrongToken, 'team/model')).rejects.toMatchObject({ constructor: OpenAI.AuthenticationError, code: 'token_invalid' });
    await expect(ask(openai, 'team/modle')).rejects.toMatchObject({
      constructor: OpenAI.NotFoundError,
      code: 'model_not_found',
      message: expect.stringContaining('team/model'),
    });
    const viewer = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token('viewer'), maxRetries: 0 });
    await expect(ask(viewer, 'team/model')).rejects.toMatchObject({
      constructor: OpenAI.PermissionDeniedError,
      requestID: expect.any(String),
    });
    vendor.behave(
      (_request, response) =>
        void response
          .writeHead(429, { 'retry-after': '7' })
          .end('{"error":{"message":"slow down, key sk-123","type":"x","param":null,"code":"rate_limit"}}'),
    );
    const failure = await ask(openai, 'team/model').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OpenAI.RateLimitError);
    expect((failure as InstanceType<typeof OpenAI.APIError>).headers?.get('retry-after')).toBe('7');
    expect(String((failure as InstanceType<typeof OpenAI.APIError>).message)).not.toContain('sk-123');
  });

  it('lists and reads models, also with a slash in the name', async () => {
    const names: string[] = [];
    for await (const model of openai.models.list()) names.push(model.id);
    expect(names).toContain('team/model');
    expect((await openai.models.retrieve('team/model')).id).toBe('team/model');
  });

  it('gets embeddings as floats although it requests base64 internally', async () => {
    vendor.behave((request, response) => {
      expect(request.path).toBe('/v1/embeddings');
      const vector = Buffer.from(Float32Array.from([0.5, -0.25]).buffer).toString('base64');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          object: 'list',
          model: 'upstream-1',
          data: [{ object: 'embedding', index: 0, embedding: vector }],
          usage: { prompt_tokens: 3, total_tokens: 3 },
        }),
      );
    });
    const answer = await openai.embeddings.create({ model: 'team/vectors', input: 'text' });
    expect(answer.data[0]?.embedding).toEqual([0.5, -0.25]);
    expect(answer.usage.prompt_tokens).toBe(3);
  });
});

describe('other clients', () => {
  it('the ai SDK generates, streams and calls a tool', async () => {
    const provider = createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token('developer') });
    vendor.behave((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(completion('fine')));
    expect((await generateText({ model: provider.chat('team/model'), prompt: 'How are you?' })).text).toBe('fine');
    vendor.behave(
      (_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chunks(['a ', 'b']).join('')),
    );
    expect(await streamText({ model: provider.chat('team/model'), prompt: 'Stream' }).text).toBe('a b');
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        completion(
          null,
          { tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Xi\'an"}' } }] },
          'tool_calls',
        ),
      );
    });
    const called = await generateText({
      model: provider.chat('team/model'),
      prompt: 'Weather?',
      tools: { weather: tool({ inputSchema: z.object({ city: z.string() }) }) },
    });
    expect(called.toolCalls[0]).toMatchObject({ toolName: 'weather', input: { city: "Xi'an" } });
  });

  it("LangChain's OpenAI client invokes and streams", async () => {
    const chat = new ChatOpenAI({
      model: 'team/model',
      apiKey: await gateway.token('developer'),
      configuration: { baseURL: `${gateway.url}/v1` },
      maxRetries: 0,
    });
    vendor.behave((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(completion('chain')));
    expect((await chat.invoke('Hi')).content).toBe('chain');
    vendor.behave(
      (_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chunks(['x ', 'y']).join('')),
    );
    let text = '';
    for await (const part of await chat.stream('Hi')) text += part.text;
    expect(text).toBe('x y');
  });
});

it('every stream matches the contract, with and without usage', async () => {
  vendor.behave(
    (_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chunks(['天', '地 ', '🐉']).join('')),
  );
  for (const usage of [true, false]) {
    const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', {
      model: 'team/model',
      stream: true,
      ...(usage ? { stream_options: { include_usage: true } } : {}),
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(answer.headers.get('x-pailou-deployment')).toBe('team/model#vendor/upstream-1');
    expect(checkStream(answer.text, { usage })).toEqual([]);
  }
});
