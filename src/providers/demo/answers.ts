/** The answers of the demo models. Each says that it is not an AI. */

interface DemoTool {
  readonly name: string;
  readonly description?: string;
  readonly parameters?: unknown;
}

export interface DemoRequest {
  readonly model: string;
  readonly messages: readonly { readonly role?: unknown; readonly content?: unknown; readonly tool_calls?: unknown }[];
  readonly stream?: boolean;
  readonly stream_options?: unknown;
  readonly max_tokens?: number;
  readonly tools?: readonly { readonly function?: DemoTool }[];
  readonly tool_choice?: unknown;
  readonly response_format?: { readonly type?: string; readonly json_schema?: { readonly schema?: unknown } };
}

export interface DemoAnswer {
  readonly text: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly finish: 'stop' | 'length';
  /** Delay before the first word, and between words. */
  readonly firstMs: number;
  readonly wordMs: number;
}

interface DemoModel {
  answer(request: DemoRequest): DemoAnswer;
  /** A failure to simulate instead of an answer. */
  trouble?(): 500 | 503 | 'reset';
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { text?: unknown }) => (typeof part?.text === 'string' ? part.text : '')).join(' ');
}

function lastUserText(request: DemoRequest): string {
  return textOf(request.messages.findLast((message) => message.role === 'user')?.content);
}

function say(request: DemoRequest, text: string, pace: { firstMs: number; wordMs: number } = { firstMs: 0, wordMs: 15 }): DemoAnswer {
  const words = text.split(/(?<=\s)/);
  const cut = typeof request.max_tokens === 'number' && words.length > request.max_tokens;
  return { text: cut ? words.slice(0, request.max_tokens).join('') : text, calls: [], finish: cut ? 'length' : 'stop', ...pace };
}

/** A minimal value that fits a simple JSON schema; its texts are `words`. */
function sample(schema: unknown, words = 'demo', depth = 0): unknown {
  if (typeof schema !== 'object' || schema === null || depth > 8) return null;
  const {
    type,
    enum: choices,
    properties,
    items,
  } = schema as { type?: unknown; enum?: unknown[]; properties?: Record<string, unknown>; items?: unknown };
  if (Array.isArray(choices)) return choices[0];
  switch (Array.isArray(type) ? type[0] : type) {
    case 'object':
      return Object.fromEntries(Object.entries(properties ?? {}).map(([key, inner]) => [key, sample(inner, words, depth + 1)]));
    case 'array':
      return items === undefined ? [] : [sample(items, words, depth + 1)];
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'string':
      return words;
    default:
      return null;
  }
}

const echo: DemoModel = {
  answer(request) {
    if (request.response_format?.type === 'json_schema')
      return say(request, JSON.stringify(sample(request.response_format.json_schema?.schema)));
    return say(request, `This is a demo, not an AI. You said: ${lastUserText(request)}`);
  },
};

/** The tool that the question names, such as `city` in "Ask city: Suzhou". The text after the name becomes each of its string arguments. */
function namedTool(tools: readonly DemoTool[], question: string): { name: string; arguments: string } | null {
  const named = tools.flatMap(({ name, parameters }) => {
    const short = name.split('__').at(-1) ?? name;
    const at = question.toLowerCase().indexOf(short.toLowerCase());
    return at === -1 ? [] : [{ name, parameters, short, words: question.slice(at + short.length).replace(/^[\s:,]+/, '') }];
  });
  const [longest] = named.toSorted((one, other) => other.short.length - one.short.length);
  if (longest === undefined) return null;
  return { name: longest.name, arguments: JSON.stringify(sample(longest.parameters, longest.words || 'demo') ?? {}) };
}

/** A tool that matches the question by its name and description. */
function pickTool(request: DemoRequest, question: string): { name: string; arguments: string } | null {
  const tools = (request.tools ?? []).flatMap((tool) => (tool.function === undefined ? [] : [tool.function]));
  const find = (pattern: RegExp) => tools.find((tool) => pattern.test(`${tool.name} ${tool.description ?? ''}`));
  const expression = /[\d(][\d\s+\-*/().^%]*[+\-*/^%][\d\s+\-*/().^%]*[\d)]/.exec(question)?.[0];
  if (expression !== undefined) {
    const calculator = find(/calc|arithm|math/i);
    if (calculator !== undefined) return { name: calculator.name, arguments: JSON.stringify({ expression: expression.trim() }) };
  }
  if (/time|date|clock|几点|时间/i.test(question)) {
    const clock = find(/time|clock|date/i);
    if (clock !== undefined) return { name: clock.name, arguments: '{}' };
  }
  return namedTool(tools, question);
}

const tools: DemoModel = {
  answer(request) {
    const last = request.messages.at(-1);
    if (last?.role === 'tool') return say(request, `This is a demo, not an AI. The tool says: ${textOf(last.content)}`);
    const picked = request.tool_choice === 'none' ? null : pickTool(request, lastUserText(request));
    if (picked !== null) return { ...say(request, ''), calls: [{ id: `call_demo_${request.messages.length}`, ...picked }] };
    return say(
      request,
      'This is a demo, not an AI. Offer me a clock or a calculator as a tool, then ask for the time or for something like 6 * 7; or name any other tool.',
    );
  },
};

const troubles = [500, 503, 'reset'] as const;
let turn = 0;

export const demoModels: ReadonlyMap<string, DemoModel> = new Map([
  ['echo', echo],
  ['tools', tools],
  ['flaky', { ...echo, trouble: () => troubles[turn++ % troubles.length] ?? 500 }],
  [
    'slow',
    {
      answer: (request: DemoRequest) =>
        say(request, `This is a demo, not an AI, and a slow one. You said: ${lastUserText(request)}`, { firstMs: 2_000, wordMs: 150 }),
    },
  ],
]);
