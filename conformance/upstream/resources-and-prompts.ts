/** The resources and prompts that the suite requests by name. */
import { completable, type McpServer, type PromptMessage, ResourceTemplate } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { png } from './samples.ts';

const words = (text: string): PromptMessage => ({ role: 'user', content: { type: 'text', text } });
const startingWith = (start: string | undefined, all: readonly string[]): string[] => all.filter((each) => each.startsWith(start ?? ''));

export function addResources(server: McpServer): void {
  const texts = {
    'test://static-text': 'This is the content of the static text resource.',
    'test://watched-resource': 'Watched resource content.',
  };
  for (const [uri, text] of Object.entries(texts)) {
    server.registerResource(uri.slice('test://'.length), uri, { description: 'A text.', mimeType: 'text/plain' }, () => ({
      contents: [{ uri, mimeType: 'text/plain', text }],
    }));
  }
  server.registerResource('static-binary', 'test://static-binary', { description: 'A picture.', mimeType: 'image/png' }, ({ href }) => ({
    contents: [{ uri: href, mimeType: 'image/png', blob: png }],
  }));
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined, complete: { id: (id) => startingWith(id, ['123', '456']) } }),
    { description: 'The data of one id.', mimeType: 'application/json' },
    ({ href }, { id }) => ({
      contents: [
        { uri: href, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }) },
      ],
    }),
  );
  if (server.server.getCapabilities().resources?.subscribe === true) {
    server.server.setRequestHandler('resources/subscribe', () => ({}));
    server.server.setRequestHandler('resources/unsubscribe', () => ({}));
  }
}

export function addPrompts(server: McpServer, extra: boolean): void {
  server.registerPrompt('test_simple_prompt', { description: 'One line.' }, () => ({
    messages: [words('This is a simple prompt for testing.')],
  }));
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'Says its arguments.',
      argsSchema: z.object({
        arg1: completable(z.string(), (start) => startingWith(start, ['test', 'testing', 'tested'])),
        arg2: z.string(),
      }),
    },
    ({ arg1, arg2 }) => ({ messages: [words(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Holds a resource.', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) => ({
      messages: [
        {
          role: 'user',
          content: {
            type: 'resource',
            resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
          },
        },
        words('Please process the embedded resource above.'),
      ],
    }),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'Holds a picture.' }, () => ({
    messages: [{ role: 'user', content: { type: 'image', data: png, mimeType: 'image/png' } }, words('Please analyze the image above.')],
  }));
  if (extra) server.registerPrompt('test_extra_prompt', { description: 'Comes and goes.' }, () => ({ messages: [words('I am here')] }));
}
