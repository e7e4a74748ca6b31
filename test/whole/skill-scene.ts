/** A gateway with a scripted vendor and prompt skills, for tests of skills. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect } from 'vitest';
import type { Role } from '../../src/types/access.ts';
import { type Answer, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, completion, startVendor, type Vendor, type VendorRequest } from './vendor.ts';

export const citySchema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };

/** The spec of a prompt skill about a city. */
export const skill = (more: object = {}, options: object = {}) => ({
  kind: 'prompt',
  description: 'Says something about a city.',
  model: 'scripted',
  options: { instructions: 'Speak about {{city}}.', input_schema: citySchema, ...options },
  ...more,
});

/** A model that calls `tool` in its first answer and says what came back in its second. */
export const calling = (tool: string, input: object) => (request: VendorRequest, response: Parameters<typeof answerOk>[1]) => {
  const results = (request.body.messages as { role: string; content: string }[]).filter(({ role }) => role === 'tool');
  const offers = ((request.body.tools ?? []) as { function: { name: string } }[]).some((each) => each.function.name === tool);
  if (results.length > 0 || !offers)
    return answerOk(request, response, results.length > 0 ? `It says: ${results.at(-1)?.content}` : 'Gardens.');
  const call = { id: 'c1', type: 'function', function: { name: tool, arguments: JSON.stringify(input) } };
  response.writeHead(200, { 'content-type': 'application/json' }).end(completion(null, { tool_calls: [call] }, 'tool_calls'));
};

export interface SkillScene extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly vendor: Vendor;
  readonly make: (name: string, spec: object) => Promise<void>;
  readonly run: (name: string, input: unknown, more?: object, role?: Role) => Promise<Answer>;
  readonly chat: (body: object, role?: Role) => Promise<Answer>;
  readonly mcp: (role: Role) => Promise<Client & AsyncDisposable>;
}

/** With the model `scripted` and the skill `city`. */
export async function startSkillScene(): Promise<SkillScene> {
  const owned = new AsyncDisposableStack();
  const gateway = owned.use(await startGateway());
  const vendor = owned.use(await startVendor());
  const make = async (name: string, spec: object): Promise<void> => {
    const made = await gateway.as('admin', 'POST', '/api/skills', { name, spec });
    expect(made.status, made.text).toBe(201);
  };
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  await gateway.as('admin', 'POST', '/api/models', { name: 'scripted', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
  await make('city', skill());
  return {
    gateway,
    vendor,
    make,
    run: (name, input, more = {}, role = 'developer') => gateway.as(role, 'POST', `/v1/skills/${name}/runs`, { input, ...more }),
    chat: (body, role = 'developer') => gateway.as(role, 'POST', '/v1/chat/completions', body),
    async mcp(role) {
      const client = new Client({ name: 'test', version: '1' });
      const headers = { authorization: `Bearer ${await gateway.token(role)}` };
      await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { requestInit: { headers } }));
      return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
