/** A gateway whose model calls tools by a script: one of the demo server, one that can be slow, and a skill. */
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { type Script, playing } from './scripted-model.ts';
import { startToolServer, type ToolServer } from './tool-server.ts';
import { answerOk, startVendor, type Vendor, type VendorRequest } from './vendor.ts';

export interface LoopScene extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly vendor: Vendor;
  /** The server `slow`, whose tool `say` answers when the test allows it. */
  readonly slow: ToolServer;
  readonly apiKey: string;
  /** Sets the script of the model. */
  plays(script: Script): void;
  /** Waits for a call of the slow tool, which then never answers. `leave` is the caller's next act; the tool must be cancelled. */
  leaving(leave: () => Promise<void>): Promise<void>;
  /** The conversation of the last request that the model got: `user`, `assistant demo__calculate`, `tool 1+1 = 2`, … */
  seen(): string[];
}

interface Message {
  readonly role: string;
  readonly content: unknown;
  readonly tool_calls?: readonly { readonly function: { readonly name: string } }[];
}

export async function startLoopScene(): Promise<LoopScene> {
  const owned = new AsyncDisposableStack();
  const gateway = owned.use(await startGateway());
  const vendor = owned.use(await startVendor());
  const writer = owned.use(await startVendor());
  const slow = owned.use(await startToolServer());
  let script: Script = {};
  vendor.behave(playing(() => script));
  writer.behave((request, response) => answerOk(request, response, 'Gardens.'));
  for (const [name, { url }] of Object.entries({ small: vendor, writer })) {
    await gateway.as('admin', 'POST', '/api/providers', { name, spec: { kind: 'openai-compatible', options: { base_url: url } } });
    await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments: [{ provider: name, model: 'm' }] } });
  }
  const spec = { kind: 'prompt', description: 'Says something of a city.', model: 'writer', options: { instructions: 'City.' } };
  await gateway.as('admin', 'POST', '/api/skills', { name: 'city', spec });
  await gateway.as('admin', 'POST', '/api/mcp-servers', { name: 'slow', spec: { kind: 'http', options: { url: slow.url } } });
  await eventually(
    async () => (await gateway.as('admin', 'GET', '/api/mcp-servers/slow/items')).json.data as unknown[],
    (items) => items.length === 1,
  );
  return {
    gateway,
    vendor,
    slow,
    apiKey: await gateway.token('developer'),
    plays(next) {
      script = next;
    },
    async leaving(leave) {
      const [calls, aborts] = [slow.inputs.length, slow.aborts];
      slow.hang = true;
      await eventually(
        () => Promise.resolve(slow.inputs.length),
        (count) => count > calls,
      );
      await leave();
      await eventually(
        () => Promise.resolve(slow.aborts),
        (count) => count > aborts,
      );
      slow.hang = false;
    },
    seen() {
      const { messages } = (vendor.requests.at(-1) as VendorRequest).body as { messages: Message[] };
      return messages.map(({ role, content, tool_calls: calls = [] }) =>
        [role, ...(typeof content === 'string' ? [content] : []), ...calls.map((call) => call.function.name)].join(' '),
      );
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
