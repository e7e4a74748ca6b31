/** Vendor errors with an unusual form or status: the caller gets the real fault, and nothing is retried. */
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { completion, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;
let openai: OpenAI;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const providers = {
    vendor: { kind: 'openai-compatible', options: { base_url: vendor.url } },
    alibaba: { kind: 'dashscope', options: { base_url: vendor.url.replace('/v1', ''), api_key: 'key' } },
  };
  for (const [name, spec] of Object.entries(providers)) {
    await gateway.as('admin', 'POST', '/api/providers', { name, spec });
    const model = { name: `refusing/${name}`, spec: { deployments: [{ provider: name, model: 'theirs' }] } };
    expect((await gateway.as('admin', 'POST', '/api/models', model)).status).toBe(201);
  }
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token('developer'), maxRetries: 0 });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const asked = { messages: [{ role: 'user' as const, content: 'Hello' }] };

async function refused(stream: boolean, model = 'refusing/vendor'): Promise<InstanceType<typeof OpenAI.APIError>> {
  vendor.requests.length = 0;
  const thrown: unknown = await openai.chat.completions.create({ model, ...asked, stream }).then(
    async (answer) => {
      if (Symbol.asyncIterator in answer) for await (const _chunk of answer);
      throw new Error('it was answered');
    },
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(OpenAI.APIError);
  return thrown as InstanceType<typeof OpenAI.APIError>;
}

function answers(status: number, body: string | object, type = 'application/json'): void {
  vendor.behave((_request, response) => {
    response.writeHead(status, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
}

describe.each([false, true])('streamed: %s', (stream) => {
  it.each([
    [500, { error: { code: 500, message: 'image input is not supported', type: 'server_error' } }, 'unsupported_parameter'],
    [
      500,
      { error: { code: 500, message: 'input is too large to process. increase the physical batch size', type: 'server_error' } },
      'context_length_exceeded',
    ],
    [
      404,
      { error: { message: 'The model `theirs` does not exist', type: 'invalid_request_error', code: 'model_not_found' } },
      'upstream_model_not_found',
    ],
    [404, '404 page not found', 'upstream_model_not_found'],
  ])('status %i %j is tried once and reported as a fault of the request', async (status, body, code) => {
    answers(status, body);
    expect(await refused(stream)).toMatchObject({ status: 400, code });
    expect(vendor.requests).toHaveLength(1);
  });

  it('a tool call that the vendor refused is returned with the model’s text', async () => {
    const error = {
      message: 'Failed to call a function.',
      type: 'invalid_request_error',
      code: 'tool_use_failed',
      failed_generation: '<function=x>{',
    };
    if (stream) answers(200, `data: ${JSON.stringify({ error: { ...error, status_code: 400 } })}\n\ndata: [DONE]\n\n`, 'text/event-stream');
    else answers(400, { error });
    const thrown = await refused(stream);
    expect(thrown).toMatchObject({ status: 400, code: 'tool_use_failed', error: { failed_generation: '<function=x>{' } });
    expect(vendor.requests).toHaveLength(1);
  });

  it("DashScope's error event is parsed, not quoted", async () => {
    const refusal = { code: 'InvalidParameter', message: 'temperature must be below 2', request_id: '0f3c' };
    answers(400, `id:1\nevent:error\n:HTTP_STATUS/400\ndata:${JSON.stringify(refusal)}\n\n`, 'text/event-stream');
    const thrown = await refused(stream, 'refusing/alibaba');
    expect(thrown).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(thrown.message).toContain('temperature must be below 2');
    expect(thrown.message).not.toMatch(/event:|HTTP_STATUS|request_id/);
  });
});

it('a deployment whose model the vendor lacks leads to the next one', async () => {
  const spec = {
    deployments: [
      { provider: 'vendor', model: 'gone', tier: 0 },
      { provider: 'vendor', model: 'here', tier: 1 },
    ],
  };
  await gateway.as('admin', 'POST', '/api/models', { name: 'refusing/two', spec });
  vendor.behave((request, response) => {
    const isGone = request.body.model === 'gone';
    const choices = [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }];
    const body = isGone ? { error: { code: 'model_not_found', message: 'no such model' } } : { choices };
    response.writeHead(isGone ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  vendor.requests.length = 0;
  const answer = await openai.chat.completions.create({ model: 'refusing/two', ...asked });
  expect(answer.choices[0]?.message.content).toBe('ok');
  expect(vendor.requests.map(({ body }) => body.model)).toEqual(['gone', 'here']);
});

describe('a request that the vendor cannot take', () => {
  it('says nothing about the vendor: the model goes on serving everybody else', async () => {
    vendor.requests.length = 0;
    const body = { model: 'refusing/vendor', max_tokens: 9, messages: [{ role: 'user', content: 'x' }], container: 'c' };
    for (let call = 0; call < 12; call++)
      expect((await gateway.as('developer', 'POST', '/v1/messages', body)).json.error).toMatchObject({
        type: 'invalid_request_error',
        details: { error_code: 'unsupported_parameter' },
      });
    expect(vendor.requests).toHaveLength(0);
    vendor.behave((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(completion('well'));
    });
    const answer = await openai.chat.completions.create({ model: 'refusing/vendor', ...asked });
    expect(answer.choices[0]?.message.content).toBe('well');
  });
});
