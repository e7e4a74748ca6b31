/** A gateway whose vendors call the tools that a test names, and what an agent sees of their answers at /v1/responses. */
import { afterAll, beforeAll, expect } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { completion, startVendor, type Vendor, type VendorRequest } from './vendor.ts';

/** Set before the tests of a file begin. */
export const scene = {} as { gateway: TestGateway; vendor: Vendor };

/** Starts both for the tests of one file. */
export function useAgentScene(): void {
  beforeAll(async () => {
    scene.gateway = await startGateway();
    scene.vendor = await startVendor();
    const providers = {
      V: { kind: 'openai-compatible', options: { base_url: scene.vendor.url } },
      openai: { kind: 'openai', options: { base_url: scene.vendor.url, api_key: 'k' } },
      claude: { kind: 'anthropic', options: { base_url: scene.vendor.url.replace(/\/v1$/, ''), api_key: 'k' } },
    };
    for (const [name, spec] of Object.entries(providers))
      expect((await scene.gateway.as('admin', 'POST', '/api/providers', { name, spec })).status).toBe(201);
    for (const provider of Object.keys(providers)) {
      const spec = { deployments: [{ provider, model: provider === 'claude' ? 'claude-opus-4-5' : 'gpt-5' }] };
      expect((await scene.gateway.as('admin', 'POST', '/api/models', { name: provider, spec })).status).toBe(201);
    }
  });

  afterAll(async () => {
    await scene.gateway[Symbol.asyncDispose]();
    await scene.vendor[Symbol.asyncDispose]();
  });
}

interface Call {
  readonly name: string;
  readonly arguments: string;
}

export const last = (): VendorRequest => scene.vendor.requests.at(-1) as VendorRequest;
export const offered = (): { type: string; function: { name: string; description?: string; parameters: unknown } }[] =>
  last().body.tools ?? [];
export const named = (name: string) => offered().find((tool) => tool.function?.name === name);

/** A vendor in the format of chat completions whose model makes these calls, or says `ok`. */
export function callNext(...calls: Call[]): void {
  const toolCalls = calls.map((call, index) => ({ index, id: `call_${index}`, type: 'function', function: call }));
  const finish = calls.length === 0 ? 'stop' : 'tool_calls';
  scene.vendor.behave((request, response) => {
    if (request.body.stream !== true) {
      const message = calls.length === 0 ? completion('ok') : completion(null, { tool_calls: toolCalls }, finish);
      response.writeHead(200, { 'content-type': 'application/json' }).end(message);
      return;
    }
    const chunk = (delta: object, reason: string | null = null): string =>
      `data: ${JSON.stringify({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (calls.length === 0) response.write(chunk({ content: 'ok' }));
    // Arguments come in pieces that cut words and escapes.
    for (const { function: called, ...call } of toolCalls) {
      response.write(chunk({ tool_calls: [{ ...call, function: { name: called.name, arguments: '' } }] }));
      for (let at = 0; at < called.arguments.length; at += 3)
        response.write(chunk({ tool_calls: [{ index: call.index, function: { arguments: called.arguments.slice(at, at + 3) } }] }));
    }
    response.end(`${chunk({}, finish)}data: [DONE]\n\n`);
  });
}

interface Told {
  readonly status: number;
  readonly warnings: string;
  // oxlint-disable-next-line no-explicit-any -- items of every shape
  readonly output: any[];
  readonly events: string[];
  readonly text: string;
}

export async function ask(body: object, model = 'V', stream = false): Promise<Told> {
  const answer = await scene.gateway.as('developer', 'POST', '/v1/responses', { model, input: 'x', store: false, ...body, stream });
  const warnings = answer.headers.get('x-pailou-warnings') ?? '';
  if (!stream || answer.status !== 200)
    return { status: answer.status, warnings, output: answer.json?.output ?? [], events: [], text: answer.text };
  const events = [...answer.text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] as string));
  const done = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
  const end = events.at(-1);
  expect(end.type).toBe('response.completed');
  expect(end.response.output).toEqual(done);
  return { status: 200, warnings, output: done, events: events.map(({ type }) => type), text: answer.text };
}

export const f = { type: 'function', name: 'f', parameters: { type: 'object' } };
export const namespace = {
  type: 'namespace',
  name: 'agents',
  description: 'Other agents.',
  tools: [
    { type: 'function', name: 'spawn', parameters: { type: 'object' } },
    { type: 'custom', name: 'tell', description: 'Tells them.' },
  ],
};
export const patch = '*** Begin Patch\n*** Add File: 文件.txt\n+"a\\b" 😀\n*** End Patch\n';
const grammar = { type: 'grammar', syntax: 'lark', definition: 'start: "x"' };
export const applyPatch = { type: 'custom', name: 'apply_patch', description: 'Edits files.', format: grammar };
