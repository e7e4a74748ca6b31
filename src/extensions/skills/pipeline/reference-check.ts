/** Checks the references of a step when the pipeline is saved. */
import type { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type JsonObject } from '../../../types/json.ts';
import { fieldsOf, mayContainPath, definitelyNotList } from '../prompting/schema-paths.ts';
import { invalid } from './options.ts';

export type Path = readonly string[];

/** The names in scope at a step. */
export interface Scope {
  readonly input: JsonObject;
  /** The answer schemas of earlier steps; null for any answer. */
  readonly steps: ReadonlyMap<string, JsonObject | null>;
  /** The ids of the step itself and of later steps. */
  readonly later: readonly string[];
}

interface Place {
  readonly field: string;
  /** Within a list `item` and `index` are in scope too. */
  readonly inList?: boolean;
}

const shownPath = (path: Path): string => `{{${path.join('.')}}}`;

function strange(path: Path, { input, steps, later }: Scope, inList: boolean): string {
  const [root = '', step = ''] = path;
  if (root === 'steps' && later.includes(step)) {
    const where = step === later[0] ? 'is this one' : 'comes later';
    return `${shownPath(path)} is not known here: the step "${step}" ${where}; only earlier steps can be read`;
  }
  const known = ['input', ...[...steps.keys()].map((each) => `steps.${each}`), ...(inList ? ['item', 'index'] : [])];
  const isField = isJsonObject(input['properties']) && Object.hasOwn(input['properties'], root);
  const suggestion = isField ? `; did you mean ${shownPath(['input', ...path])}?` : '';
  return `${shownPath(path)} is not known here; known are ${known.join(', ')}${suggestion}`;
}

function faultOfPath(path: Path, scope: Scope, inList: boolean): string | null {
  const [root = '', ...inner] = path;
  if (inList && (root === 'item' || root === 'index')) return null;
  if (root === 'input')
    return mayContainPath(scope.input, inner) ? null : `${shownPath(path)} is not in the input_schema; it has ${fieldsOf(scope.input)}`;
  const [name = '', ...deeper] = inner;
  const shape = root === 'steps' ? scope.steps.get(name) : undefined;
  if (shape === undefined) return strange(path, scope, inList);
  return shape === null || mayContainPath(shape, deeper) ? null : `${shownPath(path)} is not in the schema of the step "${name}"`;
}

function read(field: string, places: () => readonly Path[]): readonly Path[] {
  try {
    return places();
  } catch (thrown) {
    throw invalid(field, thrown instanceof Error ? thrown.message : 'is no template');
  }
}

/** Throws for a reference that can never be resolved. Returns the references. */
export function requireKnownReferences({ field, inList = false }: Place, places: () => readonly Path[], scope: Scope): readonly Path[] {
  const found = read(field, places);
  for (const path of found) {
    const fault = faultOfPath(path, scope, inList);
    if (fault !== null) throw invalid(field, fault);
  }
  return found;
}

/** The fault of a reference that must be a list; null when it may be one. */
export function faultOfList(field: string, path: Path, { input, steps }: Scope): GatewayError | null {
  const [root, name = '', ...deeper] = path;
  const schema = root === 'input' ? input : steps.get(name);
  const is = isJsonObject(schema) ? definitelyNotList(schema, root === 'input' ? path.slice(1) : deeper) : null;
  return is === null ? null : invalid(field, `must be a place that holds a list, but ${shownPath(path)} is ${is}`);
}
