/** Converts Anthropic's fields for thinking and structured output to OpenAI's. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { invalid } from './translation-losses.ts';

/** Token budgets as effort levels, by common client values: Claude Code sends about 4,000, 10,000 and 32,000. */
function effortForBudget(budget: number): string {
  if (budget < 4_000) return 'low';
  return budget < 10_000 ? 'medium' : 'high';
}

export interface Thinking {
  /** `reasoning_effort`; undefined leaves it to the model. */
  readonly effort: string | undefined;
  /** True when the caller wants the reasoning in the answer. */
  readonly shown: boolean;
}

/** Reasoning is included unless the caller switched it off: some models always think, and their reasoning must not be lost. */
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

/** `response_format` for the schema in `output_config.format`, or in its former name `output_format`. */
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
