/** `response_format: json_schema` at vendors with and without support: the caller gets valid JSON, or an explicit error. */
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkStream } from '../contract/strict-chat.ts';
import { type Answer, eventually, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, completion, startVendor, type Vendor, type VendorRequest } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, people: { type: 'integer' } },
  required: ['city', 'people'],
  additionalProperties: false,
};
const responseFormat = { type: 'json_schema', json_schema: { name: 'town', strict: true, schema } };
const good = '{"city":"Suzhou","people":12}';

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const options = { base_url: vendor.url, api_key: 'k' };
  for (const [name, kind, more] of [
    ['deep', 'deepseek', {}],
    ['max', 'minimax', {}],
    ['compatible', 'openai-compatible', {}],
    ['told', 'openai-compatible', { structured_output: 'json_object' }],
    ['trusted', 'deepseek', { structured_output: 'json_schema' }],
    ['claude', 'anthropic', {}],
  ] as const) {
    const made = await gateway.as('admin', 'POST', '/api/providers', { name, spec: { kind, options, ...more } });
    expect(made.status, made.text).toBe(201);
  }
  const models: Record<string, object[]> = {
    'by-json': [{ provider: 'deep', model: 'next' }],
    'by-words': [{ provider: 'max', model: 'next' }],
    native: [{ provider: 'compatible', model: 'next' }],
    'old-claude': [{ provider: 'claude', model: 'claude-3-5-haiku-20241022' }],
    'new-claude': [{ provider: 'claude', model: 'claude-opus-4-5' }],
    'provider-says': [{ provider: 'told', model: 'next' }],
    'provider-trusts': [{ provider: 'trusted', model: 'next' }],
    'deployment-says': [{ provider: 'told', model: 'next', structured_output: 'json_schema' }],
    'two-places': [
      { provider: 'deep', model: 'stubborn' },
      { provider: 'compatible', model: 'able', tier: 1 },
    ],
  };
  for (const [name, deployments] of Object.entries(models)) {
    const made = await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments } });
    expect(made.status, made.text).toBe(201);
  }
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

beforeEach(() => {
  vendor.requests.length = 0;
});

/** DeepSeek's error for a schema. */
function refuseSchemas(request: VendorRequest): string | null {
  if (request.body.response_format?.type !== 'json_schema') return null;
  return JSON.stringify({
    error: { message: 'This response_format type is unavailable now', type: 'invalid_request_error', code: 'invalid_request_error' },
  });
}

/** Gives `answers` in order; schemas are refused. */
function say(...answers: readonly string[]): void {
  let turn = 0;
  vendor.behave((request, response) => {
    const refusal = refuseSchemas(request);
    if (refusal !== null) return void response.writeHead(400, { 'content-type': 'application/json' }).end(refusal);
    answerOk(request, response, answers[Math.min(turn++, answers.length - 1)]);
  });
}

const messages = [{ role: 'user', content: 'Which town?' }];
const ask = (model: string, more: object = {}): Promise<Answer> =>
  gateway.as('developer', 'POST', '/v1/chat/completions', { model, messages, response_format: responseFormat, ...more });
const contentOf = (answer: Answer): string => answer.json?.choices?.[0]?.message?.content;
/** The newest run, once the ledger has it with these tokens. */
const newestRun = async (input: number) =>
  eventually(
    async () => (await gateway.as('admin', 'GET', '/api/runs?limit=1')).json.data[0],
    (run) => run?.usage?.input_tokens === input,
  );

describe('a vendor with a JSON mode and no schemas', () => {
  it('gets JSON mode with the schema in the prompt, and the caller gets a warning', async () => {
    say(good);
    const answer = await ask('by-json');
    expect(answer.status, answer.text).toBe(200);
    expect(JSON.parse(contentOf(answer))).toEqual({ city: 'Suzhou', people: 12 });
    const [request] = vendor.requests;
    expect(request?.body.response_format).toEqual({ type: 'json_object' });
    expect(request?.body.messages[0]).toMatchObject({ role: 'system', content: expect.stringContaining('"people":{"type":"integer"}') });
    expect(request?.body.messages[0].content).toContain('JSON');
    expect(answer.headers.get('x-pailou-warnings')).toContain('response_format checked by Pailou');
  });

  it('keeps the system message of the caller', async () => {
    say(good);
    await ask('by-json', { messages: [{ role: 'system', content: 'Be brief.' }, ...messages] });
    const sent = vendor.requests[0]?.body.messages;
    expect(sent).toHaveLength(2);
    expect(sent[0].content).toMatch(/^Be brief\.\n\nAnswer with JSON/);
  });

  it('repairs an invalid answer through the model, and counts every token once', async () => {
    say('{"city":"Suzhou"}', good);
    const answer = await ask('by-json');
    expect(JSON.parse(contentOf(answer))).toEqual({ city: 'Suzhou', people: 12 });
    expect(vendor.requests).toHaveLength(2);
    expect(vendor.requests[1]?.body.messages.slice(-2)).toEqual([
      { role: 'assistant', content: '{"city":"Suzhou"}' },
      { role: 'user', content: expect.stringContaining('people is missing') },
    ]);
    expect(answer.json.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 });
    expect(answer.headers.get('x-pailou-warnings')).toContain('answer repaired 1 times');
    expect(answer.headers.get('x-pailou-attempts')).toBe('2');
    const run = await newestRun(10);
    expect(run.usage).toMatchObject({ output_tokens: 4 });
    const detail = (await gateway.as('admin', 'GET', `/api/runs/${run.id}`)).json;
    expect(detail.attempts.map((attempt: { outcome: string }) => attempt.outcome)).toEqual(['complete', 'complete']);
  });

  it('removes the code fence and the text around the JSON', async () => {
    say('Here it is:\n```json\n{"city": "Suzhou", "people": 12}\n```');
    const answer = await ask('by-json');
    expect(contentOf(answer)).toBe(good);
    expect(vendor.requests).toHaveLength(1);
  });

  it('ends with an explicit error when no answer is valid, with the best attempt and all tokens recorded', async () => {
    say('I would rather not.');
    const answer = await ask('by-json');
    expect(answer.status).toBe(502);
    expect(answer.json.error).toMatchObject({ code: 'output_invalid' });
    expect(answer.json.error.message).toContain('the answer is not JSON');
    expect(answer.text).toContain('I would rather not.');
    expect(vendor.requests).toHaveLength(3);
    expect((await newestRun(15)).usage).toMatchObject({ output_tokens: 6 });
  });

  it('streams the answer once it is valid, and nothing before', async () => {
    say('{"city":"Suzhou"}', good);
    const answer = await ask('by-json', { stream: true, stream_options: { include_usage: true } });
    expect(checkStream(answer.text, { usage: true })).toEqual([]);
    const parts = answer.text
      .split('\n\n')
      .filter((line) => line.startsWith('data: {'))
      .map((line) => JSON.parse(line.slice(6)));
    expect(parts.map((part) => part.choices[0]?.delta.content ?? '').join('')).toBe(good);
    expect(parts.at(-1).usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 2 });
    expect(vendor.requests.every(({ body }) => body.stream === true)).toBe(true);
  });

  it('checks the schema itself and names the field', async () => {
    say(good);
    const answer = await ask('by-json', {
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'strange' } } },
    });
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatchObject({ code: 'invalid_request', param: 'response_format.json_schema.schema' });
    expect(vendor.requests).toHaveLength(0);
  });

  it('refuses a schema that would block other calls, and names the field', async () => {
    say(good);
    const wide = { anyOf: Array.from({ length: 4_000 }, (_, index) => ({ type: 'object', properties: { [`a${index}`]: { $ref: '#' } } })) };
    const answer = await ask('by-json', { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: wide } } });
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatchObject({ code: 'invalid_request', param: 'response_format.json_schema.schema' });
    expect(vendor.requests).toHaveLength(0);
  });

  it('does not check tool calls and answers that were cut at their limit', async () => {
    const call = { id: 'c1', type: 'function', function: { name: 'find', arguments: '{}' } };
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(completion(null, { tool_calls: [call] }, 'tool_calls'));
    });
    const tools = [{ type: 'function', function: { name: 'find', parameters: { type: 'object', properties: {} } } }];
    const called = await ask('by-json', { tools });
    expect(called.json.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: [call] } });
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(completion('{"city":"Su', {}, 'length'));
    });
    const cut = await ask('by-json', { max_tokens: 3 });
    expect(cut.json.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: '{"city":"Su' } });
    expect(vendor.requests).toHaveLength(2);
  });

  it('tries another deployment, and sums the usage of both', async () => {
    vendor.behave((request, response) => {
      answerOk(request, response, request.body.model === 'able' ? good : 'no');
    });
    const answer = await ask('two-places');
    expect(answer.status, answer.text).toBe(200);
    expect(contentOf(answer)).toBe(good);
    expect(answer.headers.get('x-pailou-deployment')).toBe('two-places#compatible/able');
    expect(vendor.requests.map(({ body }) => body.model)).toEqual(['stubborn', 'stubborn', 'stubborn', 'able']);
    expect(vendor.requests.at(-1)?.body.response_format).toEqual(responseFormat);
    expect(answer.json.usage.total_tokens).toBe(28);
    expect((await newestRun(20)).usage).toMatchObject({ output_tokens: 8 });
  });
});

describe('a vendor without a JSON mode', () => {
  it('is sent no response_format at all', async () => {
    say(good);
    const answer = await ask('by-words');
    expect(answer.status, answer.text).toBe(200);
    expect(vendor.requests[0]?.body).not.toHaveProperty('response_format');
    expect(contentOf(answer)).toBe(good);
  });

  it('must return an object when only JSON is requested', async () => {
    say('[1]', '{"a":1}');
    const answer = await ask('by-words', { response_format: { type: 'json_object' } });
    expect(contentOf(answer)).toBe('{"a":1}');
    expect(vendor.requests).toHaveLength(2);
  });
});

describe('a vendor with schemas', () => {
  it('gets the unchanged schema, and its answer is unchanged', async () => {
    vendor.behave((request, response) => answerOk(request, response, '{"anything": true}'));
    const answer = await ask('native');
    expect(vendor.requests[0]?.body.response_format).toEqual(responseFormat);
    expect(contentOf(answer)).toBe('{"anything": true}');
    expect(answer.headers.get('x-pailou-warnings')).toBeNull();
  });
});

describe('a vendor with schemas for its newer models', () => {
  it('sends the schema in the prompt to older ones, in every client format', async () => {
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          id: 'm1',
          type: 'message',
          role: 'assistant',
          model: 'claude',
          content: [{ type: 'text', text: good }],
          stop_reason: 'end_turn',
          usage: { input_tokens: 5, output_tokens: 2 },
        }),
      );
    });
    const old = await ask('old-claude');
    expect(old.status, old.text).toBe(200);
    expect(contentOf(old)).toBe(good);
    expect(vendor.requests[0]?.body).not.toHaveProperty('output_config');
    expect(JSON.stringify(vendor.requests[0]?.body.system)).toContain('JSON Schema');
    await ask('new-claude');
    expect(vendor.requests[1]?.body.output_config.format.type).toBe('json_schema');
    const message = await gateway.as('developer', 'POST', '/v1/messages', {
      model: 'old-claude',
      max_tokens: 100,
      messages,
      output_config: { format: { type: 'json_schema', schema } },
    });
    expect(message.status, message.text).toBe(200);
    expect(message.json.content).toMatchObject([{ type: 'text', text: good }]);
    expect(vendor.requests[2]?.body).not.toHaveProperty('output_config');
  });
});

describe('the row of a provider or deployment', () => {
  it('overrides the kind, and the deployment overrides its provider', async () => {
    vendor.behave((request, response) => answerOk(request, response, good));
    for (const [model, type] of [
      ['provider-says', 'json_object'],
      ['provider-trusts', 'json_schema'],
      ['deployment-says', 'json_schema'],
    ] as const) {
      await ask(model);
      expect(vendor.requests.at(-1)?.body.response_format.type, model).toBe(type);
    }
  });

  it('accepts only the three values', async () => {
    const spec = { deployments: [{ provider: 'deep', model: 'x', structured_output: 'maybe' }] };
    const refused = await gateway.as('admin', 'POST', '/api/models', { name: 'odd', spec });
    expect(refused.status).toBe(400);
    expect(refused.json.error.param).toBe('spec.deployments[0].structured_output');
  });
});

describe('the other client formats and clients', () => {
  it('follow the same rules', async () => {
    say('{"city":"Suzhou"}', good, '{"city":"Suzhou"}', good);
    const response = await gateway.as('developer', 'POST', '/v1/responses', {
      model: 'by-json',
      input: 'Which town?',
      text: { format: { type: 'json_schema', name: 'town', schema } },
    });
    expect(response.status, response.text).toBe(200);
    expect(response.text).toContain(JSON.stringify(good).slice(1, -1));
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token('developer'), maxRetries: 0 });
    const parsed = await client.chat.completions.parse({
      model: 'by-json',
      messages: [{ role: 'user', content: 'Which town?' }],
      response_format: { type: 'json_schema', json_schema: { name: 'town', strict: true, schema } },
    });
    expect(JSON.parse(parsed.choices[0]?.message.content ?? '')).toEqual({ city: 'Suzhou', people: 12 });
  });

  it('leave the check to a skill', async () => {
    say('{"city":"Suzhou"}', good);
    const made = await gateway.as('admin', 'POST', '/api/skills', {
      name: 'town',
      spec: {
        kind: 'prompt',
        description: 'Names a town.',
        model: 'by-json',
        options: { instructions: 'Name a town.', output_schema: schema },
      },
    });
    expect(made.status, made.text).toBe(201);
    const run = await gateway.as('developer', 'POST', '/v1/skills/town/runs', { input: { text: 'x' } });
    expect(run.status, run.text).toBe(200);
    expect(run.text).toContain('Suzhou');
    expect(vendor.requests).toHaveLength(2);
    expect(vendor.requests[0]?.body.response_format).toEqual({ type: 'json_object' });
  });
});
