/** Images, audio and citations in a vendor's answer: each client format contains them, whole and streamed, or returns an error. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const dataUrl = `data:image/png;base64,${png}`;
const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };

let gateway: TestGateway;
let vendor: Vendor;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const providers = {
    vendor: { kind: 'openai-compatible', options: { base_url: vendor.url } },
    google: { kind: 'gemini', options: { base_url: vendor.url, api_key: 'key' } },
    alibaba: { kind: 'dashscope', options: { base_url: vendor.url.replace('/v1', ''), api_key: 'key' } },
  };
  for (const [name, spec] of Object.entries(providers)) {
    const made = await gateway.as('admin', 'POST', '/api/providers', { name, spec });
    expect(made.status, made.text).toBe(201);
    const model = {
      name: `members/${name}`,
      spec: { deployments: [{ provider: name, model: 'theirs' }], circuit: { failures: 1_000, minimum: 100_000 } },
    };
    expect((await gateway.as('admin', 'POST', '/api/models', model)).status).toBe(201);
  }
  const apiKey = await gateway.token('developer');
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: gateway.url, apiKey, maxRetries: 0 });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

interface Answer {
  readonly message?: object;
  /** Members beside `choices`. */
  readonly root?: object;
}

/** The vendor answers with this message, in one chunk for a stream. */
function answers({ message: given = {}, root = {} }: Answer): void {
  vendor.behave((request, reply) => {
    const head = { id: 'v-1', created: 1, model: 'upstream' };
    const whole = { role: 'assistant', content: 'ok', ...given };
    if (request.body.stream !== true) {
      const choices = [{ index: 0, message: whole, finish_reason: 'stop' }];
      reply.writeHead(200, { 'content-type': 'application/json' });
      reply.end(JSON.stringify({ ...head, object: 'chat.completion', choices, usage, ...root }));
      return;
    }
    const chunk = (delta: object, finish: string | null, more: object): string =>
      `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }], ...more })}\n\n`;
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.end(`${chunk(whole, null, root)}${chunk({}, 'stop', { usage })}data: [DONE]\n\n`);
  });
}

// oxlint-disable-next-line no-explicit-any -- members beyond the clients' own types
type Loose = any;
const asked = [{ role: 'user' as const, content: 'Draw a gate.' }];

async function chat(stream: boolean, model = 'members/vendor', more: object = {}): Promise<Loose> {
  if (!stream) return (await openai.chat.completions.create({ model, messages: asked, ...more })).choices[0]?.message;
  const heard: Loose = { content: '', images: [], annotations: [] };
  for await (const chunk of await openai.chat.completions.create({ model, messages: asked, stream: true, ...more })) {
    const delta = chunk.choices[0]?.delta as Loose;
    heard.content += delta?.content ?? '';
    heard.images.push(...(delta?.images ?? []));
    heard.annotations.push(...(delta?.annotations ?? []));
    heard.audio = { ...heard.audio, ...delta?.audio };
  }
  return heard;
}

async function message(stream: boolean, model = 'members/vendor'): Promise<Loose[]> {
  const body = { model, messages: asked, max_tokens: 100 };
  const answer = stream ? await anthropic.messages.stream(body).finalMessage() : await anthropic.messages.create(body);
  return answer.content;
}

async function response(stream: boolean, model = 'members/vendor', more: object = {}): Promise<Loose> {
  if (!stream) return openai.responses.create({ model, input: 'Draw a gate.', ...more });
  return openai.responses.stream({ model, input: 'Draw a gate.', ...more }).finalResponse();
}

describe.each([false, true])('streamed: %s', (stream) => {
  describe('a generated image', () => {
    const forms: readonly [string, object][] = [
      ['OpenRouter', { images: [{ type: 'image_url', image_url: { url: dataUrl } }] }],
      ['a bare list of addresses', { images: [dataUrl] }],
      ['base64 without its type', { images: [{ b64_json: png }] }],
      ['one picture without a list', { images: { url: dataUrl } }],
      ['a member for one picture', { image: dataUrl }],
      [
        'a part of the content',
        {
          content: [
            { type: 'text', text: 'ok' },
            { type: 'image_url', image_url: { url: dataUrl } },
          ],
        },
      ],
    ];

    it.each(forms)('is in each client format: %s', async (_name, given) => {
      answers({ message: given });
      expect(await chat(stream)).toMatchObject({ content: 'ok', images: [{ type: 'image_url', image_url: { url: dataUrl } }] });
      expect(await message(stream)).toEqual([
        expect.objectContaining({ type: 'text', text: 'ok' }),
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
      ]);
      expect((await response(stream)).output).toEqual([
        expect.objectContaining({ type: 'message' }),
        expect.objectContaining({ type: 'image_generation_call', status: 'completed', result: png, output_format: 'png' }),
      ]);
    });

    it('is an answer by itself, also by URL', async () => {
      answers({ message: { content: null, images: [{ image_url: { url: 'https://pictures.example.com/1.png' } }] } });
      expect((await chat(stream)).images[0].image_url.url).toBe('https://pictures.example.com/1.png');
      expect(await message(stream)).toEqual([{ type: 'image', source: { type: 'url', url: 'https://pictures.example.com/1.png' } }]);
      expect((await response(stream)).output_text).toBe('![picture](https://pictures.example.com/1.png)');
    });

    it('that is unreadable is an error, not an empty answer', async () => {
      answers({ message: { content: '', images: [{ id: 'lost' }] } });
      await expect(chat(stream)).rejects.toMatchObject({ code: 'upstream_invalid_response' });
    });
  });

  describe('unreadable content', () => {
    const parts = (type: string): object => ({ content: [{ type, [type]: { url: 'https://example.com/1' } }] });
    it.each([
      ['a member', { content: '', video: { url: 'https://example.com/1.mp4' } }],
      ['a list of files', { content: null, attachments: [{ id: 'f' }] }],
      ['a part', parts('video_url')],
      ['a file', parts('file')],
    ])('is an error without other content: %s', async (_name, given) => {
      answers({ message: given });
      await expect(chat(stream)).rejects.toMatchObject({ code: 'upstream_invalid_response' });
      await expect(message(stream)).rejects.toThrow(/cannot be read/);
      await expect(response(stream)).rejects.toThrow(/cannot be read/);
    });

    it('is reported beside other content', async () => {
      const file = { type: 'file', file: { file_id: 'f' } };
      answers({ message: { content: [{ type: 'text', text: 'ok' }, file] } });
      const { headers, text } = await gateway.as('developer', 'POST', '/v1/chat/completions', {
        model: 'members/vendor',
        messages: asked,
        stream,
      });
      const note = 'content that cannot be read is left out: content[].file';
      expect(stream ? text : headers.get('x-pailou-warnings')).toContain(note);
    });

    it('is not assumed in a message without content', async () => {
      answers({ message: { content: '', audio: null, images: [], provider_specific_fields: { a: 1 } } });
      expect((await chat(stream)).content).toBe('');
    });
  });

  describe('sound', () => {
    it('is in chat completions, and as its transcript in the others', async () => {
      const audio = { id: 'a1', data: 'UklGRg==', transcript: 'a gate', expires_at: 9 };
      answers({ message: { content: null, audio } });
      expect((await chat(stream)).audio).toEqual(audio);
      expect(await message(stream)).toMatchObject([{ type: 'text', text: 'a gate' }]);
      expect((await response(stream)).output_text).toBe('a gate');
    });

    it('without a transcript is refused where the format has no place for it', async () => {
      answers({ message: { content: null, audio: { id: 'a1', data: 'UklGRg==' } } });
      await expect(message(stream)).rejects.toThrow(/no transcript/);
      await expect(response(stream)).rejects.toThrow(/no transcript/);
    });
  });

  describe('the pages of a web search', () => {
    const [one, two] = ['https://one.example.com/a', 'https://two.example.com/b'];
    const text = 'A gate [1] and a road [2].';
    const lists: readonly [string, Answer][] = [
      ['xAI: citations', { root: { citations: [one, two] } }],
      [
        'Perplexity: citations and search_results',
        {
          root: {
            citations: [one, two],
            search_results: [
              { url: one, title: 'One' },
              { url: two, title: 'Two' },
            ],
          },
        },
      ],
      [
        'Qianfan: search_results',
        {
          root: {
            search_results: [
              { index: 2, url: two, title: 'Two' },
              { index: 1, url: one, title: 'One' },
            ],
          },
        },
      ],
      [
        'Qwen: search_info.search_results',
        {
          root: {
            search_info: {
              search_results: [
                { index: 1, url: one, title: 'One' },
                { index: 2, url: two, title: 'Two' },
              ],
            },
          },
        },
      ],
      [
        'Zhipu: web_search',
        {
          root: {
            web_search: [
              { refer: 'ref_1', link: one, title: 'One' },
              { refer: 'ref_2', link: two, title: 'Two' },
            ],
          },
        },
      ],
      [
        'Azure: message.context.citations',
        {
          message: {
            context: {
              citations: [
                { url: one, title: 'One' },
                { url: two, title: 'Two' },
              ],
            },
          },
        },
      ],
      [
        'Groq: message.executed_tools',
        {
          message: {
            executed_tools: [
              {
                search_results: {
                  results: [
                    { url: one, title: 'One' },
                    { url: two, title: 'Two' },
                  ],
                },
              },
            ],
          },
        },
      ],
    ];

    it.each(lists)('are citations at their marks in each client format: %s', async (_name, answer) => {
      answers({ ...answer, message: { content: text, ...answer.message } });
      const cited = (await chat(stream)).annotations.map(({ type, url_citation: { url, start_index: start, end_index: end } }: Loose) => [
        type,
        url,
        start,
        end,
      ]);
      expect(cited).toEqual([
        ['url_citation', one, 7, 10],
        ['url_citation', two, 22, 25],
      ]);
      const [block] = await message(stream);
      expect(block).toMatchObject({ type: 'text', text, citations: [{ type: 'web_search_result_location', url: one }, { url: two }] });
      const [item] = (await response(stream)).output;
      expect(item.content[0].annotations).toMatchObject([
        { type: 'url_citation', url: one, start_index: 7 },
        { type: 'url_citation', url: two },
      ]);
    });

    it('cover the whole text when it has no mark', async () => {
      answers({ message: { content: 'A gate.' }, root: { citations: [one] } });
      expect((await chat(stream)).annotations).toEqual([
        { type: 'url_citation', url_citation: { url: one, title: one, start_index: 0, end_index: 7 } },
      ]);
    });

    it('appear once when the vendor sends annotations too, and complete their missing members', async () => {
      const annotations = [{ type: 'url_citation', url_citation: { url: one } }];
      answers({ message: { content: 'A gate.', annotations }, root: { citations: [one] } });
      const annotation = { type: 'url_citation', url_citation: { url: one, title: one, start_index: 0, end_index: 7 } };
      expect((await chat(stream)).annotations).toEqual([annotation]);
      expect(await message(stream)).toMatchObject([{ type: 'text', text: 'A gate.', citations: [{ url: one }] }]);
    });

    it('of DashScope do not include video, which is an error without other content', async () => {
      vendor.behave((request, reply) => {
        const choices = [{ message: { role: 'assistant', content: [{ video: 'https://example.com/1.mp4' }] }, finish_reason: 'stop' }];
        const body = JSON.stringify({ output: { choices }, usage: { input_tokens: 1, output_tokens: 1 }, request_id: 'r' });
        const streams = request.headers['x-dashscope-sse'] === 'enable';
        reply.writeHead(200, { 'content-type': streams ? 'text/event-stream' : 'application/json' });
        reply.end(streams ? `id:1\nevent:result\n:HTTP_STATUS/200\ndata:${body}\n\n` : body);
      });
      await expect(chat(stream, 'members/alibaba')).rejects.toMatchObject({ code: 'upstream_invalid_response' });
    });

    it('of DashScope are included too', async () => {
      const search_info = { search_results: [{ index: 1, url: one, title: 'One', site_name: 'one' }] };
      vendor.behave((request, reply) => {
        const choices = [{ message: { role: 'assistant', content: 'A gate [1].' }, finish_reason: 'stop' }];
        const body = JSON.stringify({ output: { choices, search_info }, usage: { input_tokens: 1, output_tokens: 1 }, request_id: 'r' });
        const streams = request.headers['x-dashscope-sse'] === 'enable';
        reply.writeHead(200, { 'content-type': streams ? 'text/event-stream' : 'application/json' });
        reply.end(streams ? `id:1\nevent:result\n:HTTP_STATUS/200\ndata:${body}\n\n` : body);
      });
      expect((await chat(stream, 'members/alibaba')).annotations).toMatchObject([
        { url_citation: { url: one, title: 'One', start_index: 7 } },
      ]);
    });
  });

  it('Gemini is asked for images and audio, and its answers contain them', async () => {
    const parts = [{ text: 'Here: ' }, { inlineData: { mimeType: 'image/png', data: png } }];
    const say = (given: readonly object[]): void =>
      vendor.behave((request, reply) => {
        const body = JSON.stringify({
          candidates: [{ content: { parts: given }, finishReason: 'STOP' }],
          usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1 },
        });
        const streams = request.path.includes('stream');
        reply.writeHead(200, { 'content-type': streams ? 'text/event-stream' : 'application/json' });
        reply.end(streams ? `data: ${body}\n\n` : body);
      });
    say(parts);
    expect(await chat(stream, 'members/google', { modalities: ['image', 'text'] })).toMatchObject({
      content: 'Here: ',
      images: [{ image_url: { url: dataUrl } }],
    });
    expect(vendor.requests.at(-1)?.body.generationConfig.responseModalities).toEqual(['IMAGE', 'TEXT']);
    expect(await message(stream, 'members/google')).toHaveLength(2);
    say([{ inlineData: { mimeType: 'audio/L16;rate=24000', data: 'AAAA' } }]);
    const audio = { voice: 'Kore', format: 'pcm16' };
    expect((await chat(stream, 'members/google', { modalities: ['text', 'audio'], audio })).audio).toMatchObject({ data: 'AAAA' });
    expect(vendor.requests.at(-1)?.body.generationConfig).toMatchObject({
      responseModalities: ['AUDIO'],
      speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } },
    });
    say([{ fileData: { mimeType: 'image/png', fileUri: 'https://example.com/1.png' } }]);
    expect((await chat(stream, 'members/google')).images[0].image_url.url).toBe('https://example.com/1.png');
    say([{ fileData: { mimeType: 'video/mp4', fileUri: 'https://example.com/1.mp4' } }]);
    await expect(chat(stream, 'members/google')).rejects.toMatchObject({ code: 'upstream_invalid_response' });
    await expect(chat(stream, 'members/google', { audio: { voice: 'Kore', format: 'mp3' } })).rejects.toMatchObject({
      code: 'unsupported_parameter',
      param: 'audio.format',
    });
  });
});

it('an image is sent back to its vendor in the next turn, from each client format', async () => {
  answers({ message: { images: [dataUrl] } });
  const first = await response(false);
  const [, , image] = [await message(false), null, await chat(false)];
  const picture = { type: 'image_url', image_url: { url: dataUrl } };
  await response(false, 'members/vendor', { previous_response_id: first.id });
  expect(vendor.requests.at(-1)?.body.messages[1]).toMatchObject({ role: 'assistant', images: [picture] });
  await openai.responses.create({ model: 'members/vendor', input: [...first.output, { role: 'user', content: 'And now?' }] as Loose });
  expect(vendor.requests.at(-1)?.body.messages[0]).toMatchObject({ role: 'assistant', images: [picture] });
  const content = await message(false);
  await anthropic.messages.create({
    model: 'members/vendor',
    max_tokens: 9,
    messages: [...asked, { role: 'assistant', content: content as Loose }, { role: 'user', content: 'And now?' }],
  });
  expect(vendor.requests.at(-1)?.body.messages[1]).toMatchObject({ role: 'assistant', content: 'ok', images: [picture] });
  await openai.chat.completions.create({
    model: 'members/vendor',
    messages: [...asked, { role: 'assistant', ...image }, { role: 'user', content: 'And now?' }],
  });
  expect(vendor.requests.at(-1)?.body.messages[1].images).toMatchObject([picture]);
});
