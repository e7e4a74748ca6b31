/** What the inspector can do with an item of a server, as any MCP client does it, so that rights, limits and the ledger apply. */
import { ApiError } from '../../api/api-error.ts';
import { call } from '../../api/client.ts';
import type { FormSchema } from '../../api/kinds.ts';
import type { Spec } from '../../api/rows.ts';
import type { McpItem } from './mcp-api.ts';

interface ContentBlock {
  readonly type?: string;
  readonly text?: string;
  readonly mimeType?: string;
  readonly uri?: string;
}

/** The result of a tool, a resource or a prompt. A question back to the client has none of these parts. */
export interface Inspected {
  readonly content?: readonly ContentBlock[];
  readonly contents?: readonly ContentBlock[];
  readonly messages?: readonly { readonly role: string; readonly content: ContentBlock }[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
}

export const inspectable = ['tool', 'resource', 'template', 'prompt'] as const;

/** The protocol without sessions. Without a progress token and a log level, the gate answers with JSON and never with an event stream. */
const protocol = '2026-07-28';

interface RpcAnswer {
  readonly result?: Inspected;
  readonly error?: { readonly code: number; readonly message: string };
}

async function ask(server: string, method: string, name: string, parameters: object): Promise<Inspected> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': protocol,
    'io.modelcontextprotocol/clientInfo': { name: 'pailou-console', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const answer = await call<RpcAnswer>('POST', `/mcp/${encodeURIComponent(server)}`, {
    body: { jsonrpc: '2.0', id: 1, method, params: { ...parameters, _meta: meta } },
    headers: {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': protocol,
      'mcp-method': method,
      'mcp-name': name,
    },
  });
  if (answer.result !== undefined) return answer.result;
  const { message = '' } = answer.error ?? {};
  throw new ApiError({ status: 200, code: 'tool_failed', message, param: null, requestId: null });
}

/** Calls the tool, reads the resource, or gets the prompt. */
export function inspect(server: string, { kind, name, definition }: McpItem, input: Spec): Promise<Inspected> {
  switch (kind) {
    case 'tool':
      return ask(server, 'tools/call', name, { name, arguments: input });
    case 'prompt':
      return ask(server, 'prompts/get', name, { name, arguments: input });
    default: {
      const uri = typeof input['uri'] === 'string' ? input['uri'] : (definition?.uri ?? name);
      return ask(server, 'resources/read', uri, { uri });
    }
  }
}

/** The input that the item takes, as the schema of its form. */
export function inputSchemaOf({ kind, name, definition }: McpItem): FormSchema {
  switch (kind) {
    case 'tool':
      return definition?.inputSchema ?? {};
    case 'template': {
      const examples = [definition?.uriTemplate ?? name];
      return { type: 'object', properties: { uri: { type: 'string', title: 'URI', examples } }, required: ['uri'] };
    }
    case 'prompt': {
      const given = definition?.arguments ?? [];
      return {
        type: 'object',
        properties: Object.fromEntries(
          given.map((each) => [
            each.name,
            { type: 'string', ...(each.description === undefined ? {} : { description: each.description }) },
          ]),
        ),
        required: given.flatMap((each) => (each.required === true ? [each.name] : [])),
      };
    }
    default:
      return {};
  }
}

/** A block as text; pictures and links are named, never loaded. */
function shownBlock(block: ContentBlock): string {
  if (block.text !== undefined) return block.text;
  return [block.type, block.mimeType, block.uri].filter((part) => part !== undefined).join(' ');
}

export function textOf(result: Inspected): string {
  const parts = [
    ...(result.content ?? []).map(shownBlock),
    ...(result.contents ?? []).map(shownBlock),
    ...(result.messages ?? []).map(({ role, content }) => `${role}: ${shownBlock(content)}`),
    ...(result.structuredContent === undefined ? [] : [JSON.stringify(result.structuredContent, null, 2)]),
  ];
  return parts.join('\n\n');
}
