/** How long a model shall think and which form its answer must have: Anthropic's fields as OpenAI's. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { invalid } from './translation-losses.ts';

/** Budgets of tokens as words, after what clients commonly send: Claude Code asks for about 4,000, 10,000 and 32,000. */
function effortForBudget(budget: number): string {
  if (budget < 4_000) return 'low';
  return budget < 10_000 ? 'medium' : 'high';
}

export interface Thinking {
  /** `reasoning_effort`; undefined leaves it to the model. */
  readonly effort: string | undefined;
  /** The caller wants to see what was thought. */
  readonly shown: boolean;
}

/** Thoughts are shown unless the caller switched them off: a model that always thinks is no reason to lose them. */
export function readThinking(body: JsonObject): Thinking {
  const config = isJsonObject(body['output_config']) ? body['output_config'] : {};
  const effort = typeof config['effort'] === 'string' ? config['effort'] : undefined;
  const { thinking } = body;
  if (thinking === undefined || thinking === null) return { effort, shown: true };
  if (!isJsonObject(thinking)) throw invalid('thinking', 'must be an object with a type.');
  const shown = thinking['display'] !== 'omitted';
  switch (thinking['type']) {
    case 'disabled':
      return { effort: 'none', shown: false };
    case 'adaptive':
      return { effort, shown };
    case 'enabled': {
      const budget = thinking['budget_tokens'];
      if (budget !== undefined && !(typeof budget === 'number' && Number.isInteger(budget) && budget > 0)) {
        throw invalid('thinking.budget_tokens', 'must be a whole number above 0.');
      }
      return { effort: effort ?? (budget === undefined ? 'medium' : effortForBudget(budget)), shown };
    }
    default:
      throw invalid('thinking.type', 'must be enabled, adaptive or disabled.');
  }
}

/** `response_format` for the schema in `output_config.format`, or in `output_format` as it was first called. */
export function readOutputFormat(body: JsonObject): Json | undefined {
  const config = isJsonObject(body['output_config']) ? body['output_config'] : {};
  const format = config['format'] ?? body['output_format'];
  if (format === undefined || format === null) return undefined;
  const path = config['format'] === undefined || config['format'] === null ? 'output_format' : 'output_config.format';
  if (!isJsonObject(format) || format['type'] !== 'json_schema' || !isJsonObject(format['schema'])) {
    throw invalid(path, 'must be {"type":"json_schema","schema":{…}}.');
  }
  return { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: format['schema'] } };
}
