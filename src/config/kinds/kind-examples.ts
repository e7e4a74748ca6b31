/** Examples of rows. Each is accepted as it stands; its addresses and credentials are placeholders. */
import type { ZodType } from 'zod';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';

const skillFolder =
  '---\nname: meeting-notes\ndescription: Turns the notes of a meeting into minutes.\n---\n\nWrite minutes with decisions and tasks.\n';

/** Options that a sample of the required fields cannot show. */
const optionExamples: Readonly<Record<string, JsonObject>> = {
  'provider/azure': { base_url: 'https://my-resource.openai.azure.com', api_key: 'your-key' },
  'provider/bedrock': { region: 'eu-central-1', api_key: 'your-key' },
  'provider/vertex': { project: 'my-project', location: 'europe-west4', access_token: 'your-token' },
  'skill/prompt': {
    instructions: 'Answer in the style of {{style}}.',
    prompt: '{{text}}',
    input_schema: {
      type: 'object',
      properties: { text: { type: 'string' }, style: { type: 'string' } },
      required: ['text', 'style'],
      additionalProperties: false,
    },
  },
  'skill/pipeline': {
    steps: [{ id: 'answer', with: { prompt: 'Answer kindly: {{input.text}}' } }],
    output: { answer: '{{steps.answer}}' },
  },
  'skill/package': { files: [{ path: 'SKILL.md', base64: Buffer.from(skillFolder).toString('base64') }] },
  'skill/classify': { labels: [{ name: 'complaint', description: 'Something is wrong.' }, { name: 'praise' }] },
  'skill/data-extraction': {
    schema: { type: 'object', properties: { number: { type: 'string' }, total: { type: 'number' } }, required: ['number', 'total'] },
  },
  'skill/translate': { to: 'zh-CN', glossary: { gateway: '网关' } },
  'mcp/http': { url: 'https://tools.example.com/mcp' },
  'mcp/sse': { url: 'https://tools.example.com/sse' },
  'mcp/stdio': { program: 'pailou-demo' },
  'mcp/openapi': {
    document: {
      openapi: '3.1.0',
      info: { title: 'Orders', version: '1' },
      paths: {
        '/orders': { get: { operationId: 'listOrders', summary: 'Lists orders', responses: { '200': { description: 'The orders' } } } },
      },
    },
    url: 'https://orders.example.com',
  },
  'mcp/virtual': { tools: ['demo/*'] },
};

const fieldExamples: Readonly<Record<string, Json>> = {
  api_key: 'your-key',
  base_url: 'https://api.example.com/v1',
  url: 'https://api.example.com',
  description: 'What it is for.',
};

function sampleOf(field: string, schema: JsonObject): Json {
  const examples = schema['examples'];
  if (Array.isArray(examples) && examples[0] !== undefined) return examples[0];
  if (schema['default'] !== undefined) return schema['default'];
  if (schema['const'] !== undefined) return schema['const'];
  const values = schema['enum'];
  if (Array.isArray(values) && values[0] !== undefined) return values[0];
  if (fieldExamples[field] !== undefined) return fieldExamples[field];
  switch (schema['type']) {
    case 'integer':
    case 'number':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 1;
    case 'boolean':
      return true;
    case 'array':
      return [];
    case 'object':
      return {};
    default:
      return schema['format'] === 'uri' ? 'https://example.com' : field;
  }
}

/** Options for an example row; null when the schema takes no simple sample. */
export function exampleOptions(key: string, options: ZodType, shown: JsonObject): JsonObject | null {
  const given = optionExamples[key];
  if (given !== undefined) return given;
  const properties = isJsonObject(shown['properties']) ? shown['properties'] : {};
  const required = Array.isArray(shown['required']) ? shown['required'].map(String) : [];
  const sample = Object.fromEntries(
    required.map((field) => [field, sampleOf(field, isJsonObject(properties[field]) ? properties[field] : {})]),
  );
  return options.safeParse(sample).success ? sample : null;
}

/** The spec of an example row of a kind. */
export function exampleSpec(type: 'provider' | 'skill' | 'mcp', kind: string, options: JsonObject): JsonObject {
  switch (type) {
    case 'provider':
      return { kind, options };
    case 'skill':
      return { kind, description: 'What it does, for people and models.', model: 'demo/echo', options };
    case 'mcp':
      return { kind, description: 'What its tools do.', options };
    default:
      return type satisfies never;
  }
}

export const rowExamples = {
  provider: { name: 'openai', spec: { kind: 'openai', options: { api_key: 'your-key' } } },
  model: { name: 'team-chat', spec: { description: 'The usual model of the team.', deployments: [{ provider: 'demo', model: 'echo' }] } },
  skill: {
    name: 'greeting',
    spec: { kind: 'prompt', description: 'Greets a person.', model: 'demo/echo', options: { instructions: 'You greet people warmly.' } },
  },
  mcp: {
    name: 'tickets',
    spec: { kind: 'http', description: 'Tickets of the help desk.', options: { url: 'https://tools.example.com/mcp' } },
  },
  team: {
    name: 'research',
    spec: { description: 'The research group.', role: 'research', administrator_role: 'team-lead' },
  },
  service: { name: 'build-server', spec: { description: 'Reviews merge requests.', roles: ['ci'] } },
  grant: { spec: { subject_type: 'role', subject: 'sales', capability: 'model/team-chat', action: 'use' } },
  limit: {
    name: 'per-person',
    spec: {
      subject_type: 'user',
      capability: 'model/*',
      requests_per_minute: 60,
      spend: { currency: 'USD', per_month: '50.00' },
      unknown_price: 'allow',
    },
  },
} as const satisfies Record<string, JsonObject>;
