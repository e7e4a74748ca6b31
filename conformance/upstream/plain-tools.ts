/** Tools that answer at once: one per content type, and those whose schemas must arrive unchanged. */
import { fromJsonSchema, type McpServer } from '@modelcontextprotocol/server';
import { png, wav } from './samples.ts';

const text = (words: string) => ({ type: 'text' as const, text: words });
const image = { type: 'image' as const, data: png, mimeType: 'image/png' };
const resource = (uri: string, mimeType: string, words: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text: words },
});

/** Keywords that a gateway might lose: $schema, $defs, $anchor, composition, conditions. */
const newSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

const headerSchema = {
  type: 'object',
  properties: {
    region: { type: 'string', description: 'Where to look.', 'x-mcp-header': 'Region' },
    query: { type: 'string', description: 'What to look for.' },
  },
  required: ['region'],
};

export function addPlainTools(server: McpServer): void {
  server.registerTool('test_simple_text', { description: 'Answers one line of text.' }, () => ({
    content: [text('This is a simple text response for testing.')],
  }));
  server.registerTool('test_image_content', { description: 'Answers a picture.' }, () => ({ content: [image] }));
  server.registerTool('test_audio_content', { description: 'Answers a sound.' }, () => ({
    content: [{ type: 'audio', data: wav, mimeType: 'audio/wav' }],
  }));
  server.registerTool('test_embedded_resource', { description: 'Answers a resource.' }, () => ({
    content: [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  }));
  server.registerTool('test_multiple_content_types', { description: 'Answers text, a picture and a resource.' }, () => ({
    content: [
      text('Multiple content types test:'),
      image,
      resource('test://mixed-content-resource', 'application/json', JSON.stringify({ test: 'data', value: 123 })),
    ],
  }));
  server.registerTool('test_error_handling', { description: 'Always fails.' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Has a schema with keywords of JSON Schema 2020-12.', inputSchema: fromJsonSchema(newSchema as never) },
    (given) => ({ content: [text(JSON.stringify(given))] }),
  );
  server.registerTool(
    'test_custom_header',
    { description: 'Wants its region in a header too.', inputSchema: fromJsonSchema<{ region: string }>(headerSchema as never) },
    ({ region }) => ({ content: [text(`region ${region}`)] }),
  );
}
