import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import bedrockFormat from '../../src/models/vendor-formats/bedrock/plugin.ts';
import bedrock from '../../src/providers/bedrock.ts';
import { streamChunks } from '../contract/strict-chat.ts';
import { calls, exception, metadata, says, started, stopped, thinks } from '../models/vendor-formats/bedrock/samples.ts';
import { thrownBy } from '../models/vendor-formats/decode-and-emit.ts';
import { completion, json, type ScriptedVendor, startVendor, streamText } from './scripted-vendor.ts';

let vendor: ScriptedVendor;
beforeAll(async () => {
  vendor = await startVendor(bedrockFormat);
});
afterAll(() => vendor.close());

const claude = 'eu.anthropic.claude-haiku-4-5-20251001-v1:0';
const deployment = (model = claude, options: Readonly<Record<string, unknown>> = { api_key: 'ABSK' }) =>
  vendor.deployment(bedrock, { region: 'eu-central-1', base_url: vendor.base, ...options }, model);
const answer = (content: readonly object[], stopReason: string) => ({
  output: { message: { role: 'assistant', content } },
  stopReason,
  usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
});
const eventStream = { 'content-type': 'application/vnd.amazon.eventstream' };

interface Signed {
  readonly method: string;
  /** The path as sent. */
  readonly path: string;
  /** The signed headers, sorted by name. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly secret: string;
}

/** AWS Signature Version 4 by its specification, to verify the sent one. */
function signatureOf({ method, path, headers, body, date, region, service, secret }: Signed): string {
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const lines = headers.map(([name, value]) => `${name}:${value}\n`).join('');
  const canonical = [method, encoded, '', lines, headers.map(([name]) => name).join(';'), hash(body)].join('\n');
  const scope = [date.slice(0, 8), region, service, 'aws4_request'];
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, ['AWS4-HMAC-SHA256', date, scope.join('/'), hash(canonical)].join('\n')).toString('hex');
}

describe('Bedrock', () => {
  test('streams text, reasoning and calls from its binary frames', async () => {
    let seen: object = {};
    vendor.play(({ url, headers }, response) => {
      seen = { url, accept: headers.accept, authorization: headers.authorization };
      response.writeHead(200, eventStream);
      const bytes = Buffer.concat([
        started,
        thinks(0, 'S', '想'),
        says(1, '好😊'),
        calls(2, 't1', 'a', ''),
        calls(3, 't2', 'b', '{"x":1}'),
        metadata(),
        stopped('tool_use'),
      ]);
      for (let at = 0; at < bytes.length; at += 53) response.write(bytes.subarray(at, at + 53));
      response.end();
    });
    const text = await streamText(await vendor.chat(await deployment(), {}, true));
    expect(text).toContain('"content":"好😊"');
    expect(text).toContain('"reasoning_content":"想"');
    expect(streamChunks(text).findLast(({ choices }) => choices[0] !== undefined)?.choices[0]?.finish_reason).toBe('tool_calls');
    expect(seen).toEqual({
      url: `/model/${encodeURIComponent(claude)}/converse-stream`,
      accept: 'application/vnd.amazon.eventstream',
      authorization: 'Bearer ABSK',
    });
  });

  test('gets its signature back although the client drops it', async () => {
    const bodies: { messages: { content: unknown }[] }[] = [];
    vendor.play(({ body }, response) => {
      bodies.push(JSON.parse(body) as (typeof bodies)[number]);
      const thought = { reasoningContent: { reasoningText: { text: 'hm', signature: 'SIGNED' } } };
      json(response, 200, answer([thought, { toolUse: { toolUseId: 'tooluse_round', name: 'f', input: { x: 1 } } }], 'tool_use'));
    });
    const model = await deployment();
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const first = await completion(await vendor.chat(model, { tools, reasoning_effort: 'low' }, false));
    const given = first.choices[0]?.message['tool_calls'] as { id: string }[];
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: null, tool_calls: given },
      { role: 'tool', tool_call_id: given[0]?.id ?? '', content: 'sunny' },
    ];
    const again = await vendor.chat(model, { messages, tools, reasoning_effort: 'low' }, false);
    await completion(again);
    expect(again.warnings).toEqual([]);
    expect(bodies[1]?.messages[1]?.content).toEqual([
      { reasoningContent: { reasoningText: { text: 'hm', signature: 'SIGNED' } } },
      { toolUse: { toolUseId: 'tooluse_round', name: 'f', input: { x: 1 } } },
    ]);
  });

  test('that fails, is interrupted or is damaged in the middle of a stream is an error', async () => {
    const begun = Buffer.concat([started, says(0, 'a')]);
    const damaged = Buffer.from(says(1, 'b'));
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    for (const [rest, code] of [
      [exception('throttlingException', 'm'), 'rate_limited'],
      [Buffer.alloc(0), 'upstream_interrupted'],
      [damaged, 'upstream_invalid_response'],
    ] as const) {
      vendor.play((_request, response) => response.writeHead(200, eventStream).end(Buffer.concat([begun, rest])));
      await expect(streamText(await vendor.chat(await deployment(), {}, true))).rejects.toMatchObject({ code });
    }
  });

  test('is addressed by its unchanged ARN', async () => {
    const arn = 'arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc';
    const made = (await deployment(arn)).provider.instance;
    const call = { operation: 'chat', model: arn, stream: false, warn: () => undefined } as const;
    expect(made.address(call)).toBe(`${vendor.base}/model/${arn}/converse`);
  });

  test.each([
    [400, 'ValidationException', 'Input is too long for requested model.', 'context_length_exceeded'],
    [400, 'ValidationException', 'messages.0.content.0: bad', 'invalid_request'],
    [400, 'ValidationException', 'The provided model identifier is invalid.', 'upstream_model_not_found'],
    [400, 'ValidationException', "Invocation of model ID x with on-demand throughput isn't supported.", 'upstream_model_not_found'],
    [400, 'ServiceQuotaExceededException', 'm', 'rate_limited'],
    [403, 'AccessDeniedException', 'm', 'upstream_authentication'],
    [403, 'ExpiredTokenException', 'm', 'upstream_authentication'],
    [404, 'ResourceNotFoundException', 'm', 'upstream_model_not_found'],
    [408, 'ModelTimeoutException', 'm', 'upstream_timeout'],
    [424, 'ModelErrorException', 'm', 'upstream_error'],
    [429, 'ThrottlingException', 'm', 'rate_limited'],
    [429, 'ModelNotReadyException', 'm', 'upstream_unavailable'],
    [500, 'InternalServerException', 'm', 'upstream_error'],
    [503, 'ServiceUnavailableException', 'm', 'upstream_unavailable'],
  ])('%i %s "%s" is %s', async (status, type, message, code) => {
    vendor.play((_request, response) => json(response, status, { message }, { 'x-amzn-errortype': `${type}:http://internal.amazon.com/` }));
    await expect(vendor.chat(await deployment(), {}, false)).rejects.toMatchObject({ code });
  });

  test('embeds in batches', async () => {
    const bodies: unknown[] = [];
    let url: string | undefined;
    vendor.play(({ body, url: asked }, response) => {
      url = asked;
      bodies.push(JSON.parse(body));
      json(response, 200, { embedding: [bodies.length], inputTextTokenCount: 2 });
    });
    const given = await vendor.invoker.embeddings(
      await deployment('amazon.titan-embed-text-v2:0'),
      { model: 'm', input: ['a', 'b'] },
      { signal: new AbortController().signal },
    );
    expect(given.vectors).toHaveLength(2);
    expect(given.usage?.inputTokens).toBe(4);
    expect(bodies).toEqual(expect.arrayContaining([{ inputText: 'a' }, { inputText: 'b' }]));
    expect(url).toBe('/model/amazon.titan-embed-text-v2%3A0/invoke');
  });
});

describe('the credential for Bedrock', () => {
  test('is verified by an independent signature that matches AWS’s published one', () => {
    // "post-vanilla" of the test suite for Signature Version 4.
    const published = {
      method: 'POST',
      path: '/',
      headers: [
        ['host', 'example.amazonaws.com'],
        ['x-amz-date', '20150830T123600Z'],
      ] as const,
      body: '',
      date: '20150830T123600Z',
      region: 'us-east-1',
      service: 'service',
      secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    };
    expect(signatureOf(published)).toBe('5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b');
  });

  test.each([['TOKEN'], [undefined]])('signs the sent request, with the session token %s', async (token) => {
    let checked = false;
    vendor.play(({ method = '', url = '', headers, body }, response) => {
      const [, scope = '', names = '', signature] =
        /^AWS4-HMAC-SHA256 Credential=AKID\/(\S+), SignedHeaders=(\S+), Signature=(\w+)$/.exec(headers.authorization ?? '') ?? [];
      const signed = names.split(';').map((name) => [name, String(headers[name])] as const);
      expect(names).toBe(token === undefined ? 'host;x-amz-date' : 'host;x-amz-date;x-amz-security-token');
      expect(headers['x-amz-security-token']).toBe(token);
      const date = String(headers['x-amz-date']);
      expect(scope).toBe(`${date.slice(0, 8)}/eu-central-1/bedrock/aws4_request`);
      const sent = { method, path: url, headers: signed, body, date, region: 'eu-central-1', service: 'bedrock', secret: 'SECRET' };
      expect(signature).toBe(signatureOf(sent));
      checked = true;
      json(response, 200, answer([{ text: '好' }], 'end_turn'));
    });
    const keys = { access_key_id: 'AKID', secret_access_key: 'SECRET', ...(token === undefined ? {} : { session_token: token }) };
    await completion(await vendor.chat(await deployment(claude, keys), { messages: [{ role: 'user', content: '你好' }] }, false));
    expect(checked).toBe(true);
  });

  test.each([
    [{}, 'spec.options.access_key_id'],
    [{ access_key_id: 'A' }, 'spec.options.secret_access_key'],
    [{ secret_access_key: 'S' }, 'spec.options.access_key_id'],
    [{ api_key: 'K', access_key_id: 'A', secret_access_key: 'S' }, 'spec.options.api_key'],
  ])('%j is refused', (given, param) => {
    const parsed = bedrock.options.parse({ region: 'eu-central-1', ...given });
    expect(thrownBy(() => bedrock.create(parsed, vendor.services))).toMatchObject({ code: 'configuration_invalid', param });
  });

  test('belongs to a region, which is part of the address', async () => {
    const services = { ...vendor.services, checkUrl: (url: string) => new URL(url) };
    const call = { operation: 'chat', model: 'm', stream: true, warn: () => undefined } as const;
    const addressIn = async (region: string) =>
      (await bedrock.create(bedrock.options.parse({ region, api_key: 'K' }), services)).address(call);
    expect(await addressIn('eu-central-1')).toBe('https://bedrock-runtime.eu-central-1.amazonaws.com/model/m/converse-stream');
    expect(await addressIn('cn-north-1')).toBe('https://bedrock-runtime.cn-north-1.amazonaws.com.cn/model/m/converse-stream');
    expect(bedrock.options.safeParse({ region: 'evil.example/' }).success).toBe(false);
  });
});
