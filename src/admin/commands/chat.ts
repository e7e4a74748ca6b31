/** pailou chat: asks a model or skill of a running gateway and prints the answer as it arrives. */
import { parseArgs } from 'node:util';
import { answerOf, gatewayCall, gatewayOptions, printFailure } from './gateway-call.ts';
import { type Command, printError, printPart, print, UsageError, printJson } from './command.ts';

/** The exit code of shells for a program that Ctrl+C ended. */
const interrupted = 130;

interface Chunk {
  readonly error?: { readonly code?: string; readonly message?: string };
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[];
}

/** The parts of an answer. The line ends also when the connection is cut. */
async function* withLineEnd(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (thrown) {
    print('');
    throw thrown;
  }
}

/** Exit code 1 when the stream ends with an error or without its end. */
async function printed(body: AsyncIterable<Uint8Array>): Promise<number> {
  const decoder = new TextDecoder();
  let rest = '';
  let isWhole = false;
  for await (const bytes of withLineEnd(body)) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data:')) continue;
      const data = line.slice(5).trim();
      if (data === '[DONE]') {
        isWhole = true;
        continue;
      }
      const chunk = JSON.parse(data) as Chunk;
      if (chunk.error !== undefined) {
        printError(`\n${chunk.error.message ?? 'The answer broke off.'}`, { code: chunk.error.code ?? 'failed' });
        return 1;
      }
      for (const { delta } of chunk.choices ?? []) if (typeof delta?.content === 'string') printPart(delta.content);
    }
  }
  print('');
  if (!isWhole) printError('The answer broke off.');
  return isWhole ? 0 : 1;
}

export const chatCommand: Command = {
  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { ...gatewayOptions, json: { type: 'boolean', default: false }, system: { type: 'string' } },
    });
    const [model, ...words] = positionals;
    if (model === undefined || words.length === 0)
      throw new UsageError('Usage: pailou chat <model or skill/name> <message> [--system <text>]');
    const system = values.system === undefined ? [] : [{ role: 'system', content: values.system }];
    const body = { model, stream: !values.json, messages: [...system, { role: 'user', content: words.join(' ') }] };
    // The end of the process closes the connection, which cancels the call.
    process.once('SIGINT', () => {
      print('');
      process.exit(interrupted);
    });
    const response = await gatewayCall(values).send('POST', '/v1/chat/completions', {
      type: 'application/json',
      bytes: JSON.stringify(body),
    });
    if (response === null) return 1;
    if (!response.ok) return printFailure(response);
    if (values.json) {
      printJson(await answerOf(response));
      return 0;
    }
    return response.body === null ? 1 : printed(response.body as AsyncIterable<Uint8Array>);
  },
};
