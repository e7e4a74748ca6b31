/** Reads the three client formats of a chat with their own clients: all text, and the end. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

/** The content that a client received in one call. */
export interface ReceivedAnswer {
  said: string;
  thought: string;
  /** Arguments of tool calls, as received. */
  tools: string;
  /** The number of tool calls that began. */
  calls: number;
  /** True when the answer has the regular end of its format. */
  complete: boolean;
  /** The error that the client threw, or that the answer contains. */
  error: string | null;
  /** The HTTP status of the answer or refusal; null for an error after the first byte. */
  status: number | null;
  usage: { readonly input: number; readonly output: number } | null;
}

export interface Asked {
  readonly stream: boolean;
  readonly tools?: boolean;
  readonly signal?: AbortSignal;
  /** Called after each part of a stream; true closes the client's connection. */
  readonly leave?: (heard: Readonly<ReceivedAnswer>) => boolean;
}

export interface FormatClient {
  readonly name: string;
  ask(model: string, asked: Asked): Promise<ReceivedAnswer>;
}

const parameters = { type: 'object' as const, properties: { city: { type: 'string' } } };
const tool = { name: 'weather', description: 'The weather in a city.' };
const nothing = (): ReceivedAnswer => ({
  said: '',
  thought: '',
  tools: '',
  calls: 0,
  complete: false,
  error: null,
  status: null,
  usage: null,
});

/** Runs `read` and returns the received content, even when it throws. */
async function collect(read: (heard: ReceivedAnswer) => Promise<void>): Promise<ReceivedAnswer> {
  const heard = nothing();
  try {
    await read(heard);
  } catch (thrown) {
    const clientError = thrown as { status?: number; message: string };
    return { ...heard, complete: false, error: clientError.message, status: clientError.status ?? null };
  }
  return heard;
}

function chatCompletions(client: OpenAI): FormatClient['ask'] {
  return (model, { stream, tools, signal, leave }) =>
    collect(async (heard) => {
      const question: OpenAI.ChatCompletionCreateParamsNonStreaming = { model, messages: [{ role: 'user', content: 'Hello' }] };
      if (tools === true) question.tools = [{ type: 'function', function: { ...tool, parameters } }];
      const take = (part: {
        content?: string | null;
        tool_calls?: readonly { id?: string; function?: { arguments?: string } }[];
      }): void => {
        heard.said += part.content ?? '';
        heard.thought += (part as { reasoning_content?: string }).reasoning_content ?? '';
        for (const call of part.tool_calls ?? []) {
          if (call.id !== undefined) heard.calls++;
          heard.tools += call.function?.arguments ?? '';
        }
      };
      const count = (usage: OpenAI.CompletionUsage | null | undefined): void => {
        if (usage) heard.usage = { input: usage.prompt_tokens, output: usage.completion_tokens };
      };
      if (!stream) {
        const answer = await client.chat.completions.create(question, { signal });
        const [choice] = answer.choices;
        if (choice !== undefined) take(choice.message);
        Object.assign(heard, { complete: choice?.finish_reason !== undefined, status: 200 });
        count(answer.usage);
        return;
      }
      const events = await client.chat.completions.create(
        { ...question, stream: true, stream_options: { include_usage: true } },
        { signal },
      );
      for await (const chunk of events) {
        for (const { delta, finish_reason: reason } of chunk.choices) {
          take(delta);
          if (reason !== null) heard.complete = true;
        }
        count(chunk.usage);
        if (leave?.(heard) === true) return;
      }
    });
}

function responses(client: OpenAI): FormatClient['ask'] {
  return (model, { stream, tools, signal, leave }) =>
    collect(async (heard) => {
      const question: OpenAI.Responses.ResponseCreateParamsNonStreaming = { model, input: 'Hello', store: false };
      if (tools === true) question.tools = [{ type: 'function', ...tool, parameters, strict: false }];
      const finish = (answer: OpenAI.Responses.Response): void => {
        heard.complete = answer.status === 'completed';
        if (answer.error) heard.error = answer.error.message;
        if (answer.usage) heard.usage = { input: answer.usage.input_tokens, output: answer.usage.output_tokens };
      };
      if (!stream) {
        const answer = await client.responses.create(question, { signal });
        Object.assign(heard, { said: answer.output_text, status: 200 });
        finish(answer);
        return;
      }
      for await (const event of await client.responses.create({ ...question, stream: true }, { signal })) {
        if (event.type === 'response.output_text.delta') heard.said += event.delta;
        else if (event.type === 'response.reasoning_text.delta' || event.type === 'response.reasoning_summary_text.delta')
          heard.thought += event.delta;
        else if (event.type === 'response.function_call_arguments.delta') heard.tools += event.delta;
        else if (event.type === 'response.output_item.added' && event.item.type === 'function_call') heard.calls++;
        else if (event.type === 'response.completed' || event.type === 'response.failed' || event.type === 'response.incomplete')
          finish(event.response);
        else if (event.type === 'error') heard.error = event.message;
        if (leave?.(heard) === true) return;
      }
    });
}

function messages(client: Anthropic): FormatClient['ask'] {
  return (model, { stream, tools, signal, leave }) =>
    collect(async (heard) => {
      const question: Anthropic.MessageCreateParamsNonStreaming = {
        model,
        max_tokens: 100,
        messages: [{ role: 'user', content: 'Hello' }],
      };
      if (tools === true) question.tools = [{ ...tool, input_schema: parameters }];
      const count = (usage: { readonly input_tokens: number | null; readonly output_tokens: number }): void => {
        heard.usage = { input: usage.input_tokens ?? heard.usage?.input ?? 0, output: usage.output_tokens };
      };
      if (!stream) {
        const answer = await client.messages.create(question, { signal: signal ?? null });
        for (const block of answer.content) if (block.type === 'text') heard.said += block.text;
        Object.assign(heard, { complete: answer.stop_reason !== null, status: 200 });
        count(answer.usage);
        return;
      }
      for await (const event of await client.messages.create({ ...question, stream: true }, { signal: signal ?? null })) {
        if (event.type === 'content_block_start' && event.content_block.type === 'tool_use') heard.calls++;
        else if (event.type === 'content_block_delta') {
          if (event.delta.type === 'text_delta') heard.said += event.delta.text;
          else if (event.delta.type === 'thinking_delta') heard.thought += event.delta.thinking;
          else if (event.delta.type === 'input_json_delta') heard.tools += event.delta.partial_json;
        } else if (event.type === 'message_delta') count(event.usage);
        else if (event.type === 'message_stop') heard.complete = true;
        if (leave?.(heard) === true) return;
      }
    });
}

/** Clients of the gateway at `url`, all without automatic retries. */
export function formatClients(url: string, token: string): readonly FormatClient[] {
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 });
  const anthropic = new Anthropic({ baseURL: url, authToken: token, apiKey: null, maxRetries: 0 });
  return [
    { name: '/v1/chat/completions', ask: chatCompletions(openai) },
    { name: '/v1/responses', ask: responses(openai) },
    { name: '/v1/messages', ask: messages(anthropic) },
  ];
}

export const formatNames = ['/v1/chat/completions', '/v1/responses', '/v1/messages'] as const;
