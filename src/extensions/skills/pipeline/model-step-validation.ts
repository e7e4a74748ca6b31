/** Validates a step that calls a model. */
import type { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { nearMatches } from '../../../text/did-you-mean.ts';
import { compileSchema, type SchemaCheck } from '../../../schema/json-schema.ts';
import { invalid, type Step } from './options.ts';
import { referencesIn } from './references.ts';

/** Throws the error that `refuse` makes. */
export function requireSchema(schema: JsonObject, refuse: (sentence: string) => GatewayError): SchemaCheck {
  try {
    return compileSchema(schema);
  } catch (thrown) {
    throw refuse(`is not a usable JSON Schema (${(thrown as Error).message.slice(0, 200)})`);
  }
}

const ownFields = ['prompt', 'system', 'schema', 'messages'];

/** Checks fields of a chat request for typing errors. Unknown fields pass. */
function misspelt(given: JsonObject): readonly [string, string] | null {
  for (const field of Object.keys(given)) {
    const [suggestion] = ownFields.includes(field) ? [] : nearMatches(field, ownFields);
    if (suggestion !== undefined) return [field, suggestion];
  }
  return null;
}

function requireQuestion(field: string, given: JsonObject): void {
  const slip = misspelt(given);
  const [asks, hasOwn] = [given['prompt'] !== undefined, given['messages'] !== undefined];
  if (!asks && !hasOwn) {
    const suggestion = slip === null ? '' : ` ("${slip[0]}" is not a field here; did you mean "${slip[1]}"?)`;
    throw invalid(field, `asks the model nothing; give a prompt, or messages${suggestion}`);
  }
  if (slip !== null) throw invalid(`${field}.${slip[0]}`, `is not a field here; did you mean "${slip[1]}"?`);
  if (asks && hasOwn) throw invalid(field, 'has both prompt and messages; give one of the two');
  if (hasOwn && given['system'] !== undefined)
    throw invalid(field, 'has both system and messages; messages may begin with one of the system');
  if (given['model'] !== undefined)
    throw invalid(`${field}.model`, 'is no field here; name the model under use of the step, and under tools of the skill');
}

const containsReferences = (value: Json): boolean => referencesIn(value).length > 0;

/** Requires a question and a valid schema. Returns the schema of the answer; null for any answer. */
export function requireModelStep(field: string, { use, with: given, each }: Step): JsonObject | null {
  if ((use !== undefined && !use.startsWith('model/')) || !isJsonObject(given)) return null;
  requireQuestion(field, given);
  const { schema } = given;
  if (!isJsonObject(schema) || containsReferences(schema)) return null;
  requireSchema(schema, (sentence) => invalid(`${field}.schema`, sentence));
  return each === undefined ? schema : { type: 'array', items: schema };
}
