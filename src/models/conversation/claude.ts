/** Differences between Claude generations, derived from model names: at Anthropic, Bedrock and other vendors. */

/** The abilities of a model. Little is known about other models with Anthropic's format. */
export interface ClaudeTraits {
  readonly isClaude: boolean;
  /** `budget`: thinking has a token budget. `adaptive`: the model decides, guided by an effort. */
  readonly thinking: 'none' | 'budget' | 'adaptive';
  /** Thinks unless it is switched off. */
  readonly thinksByItself: boolean;
  /** What switches thinking off: nothing needed, a type of `thinking`, or not fully possible and only reduced by the least effort. */
  readonly withoutThinking: 'nothing' | 'disabled' | 'between_tools' | 'least';
  readonly knowsXhigh: boolean;
  /** Temperature and top_p: both, one of them, or neither. */
  readonly sampling: 'both' | 'one' | 'neither';
  /** Supports a forced tool call. */
  readonly forcedTools: boolean;
  /** Enforces a schema for answers and arguments. */
  readonly schemas: boolean;
  /** The output token limit when the request sets none. */
  readonly maxTokens: number;
}

const other: ClaudeTraits = {
  isClaude: false,
  thinking: 'budget',
  thinksByItself: false,
  withoutThinking: 'disabled',
  knowsXhigh: false,
  sampling: 'both',
  forcedTools: true,
  schemas: false,
  maxTokens: 8_192,
};

/** A name without a number means the newest model. */
const newest = 9_900;

interface Name {
  readonly family: string;
  /** Version 4.7 is 407. */
  readonly version: number;
}

function nameOf(model: string): Name | undefined {
  const name = model.toLowerCase();
  // Two digits at most: longer numbers are dates.
  const now = /claude-([a-z]+)-(\d+)(?:[-.](\d{1,2}))?(?!\d)/.exec(name);
  const version = (parts: RegExpExecArray, at: number): number => Number(parts[at]) * 100 + Number(parts[at + 1] ?? 0);
  if (now !== null) return { family: now[1] ?? '', version: version(now, 2) };
  const early = /claude-v?(\d)(?:[-.:](\d))?(?!\d)/.exec(name);
  if (early !== null) return { family: /opus|sonnet|haiku/.exec(name)?.[0] ?? '', version: version(early, 1) };
  const family = /claude-([a-z]+)/.exec(name)?.[1];
  if (family === undefined) return undefined;
  return { family, version: family === 'instant' ? 100 : newest };
}

function withoutThinking({ family, version }: Name): ClaudeTraits['withoutThinking'] {
  if (version < 500) return 'nothing';
  if (family === 'haiku' || ((family === 'sonnet' || family === 'opus') && version < 505)) return 'disabled';
  return family === 'sonnet' ? 'between_tools' : 'least';
}

function maxTokens(version: number): number {
  if (version >= 406) return 128_000;
  if (version >= 405) return 64_000;
  // Input and output share the context window, so the highest limit would exclude long questions.
  if (version >= 307) return 32_000;
  return version >= 305 ? 8_192 : 4_096;
}

/** The model may have any prefix and suffix: `us.anthropic.claude-opus-4-5-20251101-v1:0`, `anthropic/claude-opus-4.5`. */
export function claudeTraits(model: string): ClaudeTraits {
  const name = nameOf(model);
  if (name === undefined) return other;
  const { family, version } = name;
  const unforced = family === 'fable' || family === 'mythos' ? 501 : 505;
  const strictest = version >= 500 || (family === 'opus' && version >= 407);
  return {
    isClaude: true,
    thinking: version >= 406 ? 'adaptive' : version >= 307 ? 'budget' : 'none',
    thinksByItself: version >= 500,
    withoutThinking: withoutThinking(name),
    knowsXhigh: strictest,
    sampling: strictest ? 'neither' : version >= 405 ? 'one' : 'both',
    forcedTools: family === 'haiku' || version < unforced,
    schemas: version >= (family === 'opus' ? 401 : 405),
    maxTokens: maxTokens(version),
  };
}
