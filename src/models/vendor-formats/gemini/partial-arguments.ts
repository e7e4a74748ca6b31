/** Converts call arguments that Vertex streams value by value, each with a JSON path, to the text of one JSON object. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { invalidAnswer } from '../../answer-json.ts';

type Step = string | number;

interface Open {
  /** The path step into this container; null for the root object. */
  readonly step: Step | null;
  readonly list: boolean;
  readonly keys: Set<string>;
  count: number;
}

const stepPattern = /\.([^.[\]]+)|\[(\d+)\]|\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]/y;

/** Parses `$.recipe.steps[0].text` or `$['any key']` into steps. */
function parsePath(path: string): Step[] {
  const steps: Step[] = [];
  stepPattern.lastIndex = path.startsWith('$') ? 1 : 0;
  const text = path.startsWith('$') || path.startsWith('[') ? path : `.${path}`;
  while (stepPattern.lastIndex < text.length) {
    const found = stepPattern.exec(text);
    if (found === null) throw invalidAnswer('arguments at a place that cannot be read', path);
    const [, plain, index, single, double] = found;
    steps.push(index === undefined ? (plain ?? (single ?? double ?? '').replace(/\\(.)/g, '$1')) : Number(index));
  }
  if (steps.length === 0 || typeof steps[0] !== 'string') throw invalidAnswer('arguments at a place that cannot be read', path);
  return steps;
}

function valueOf(part: JsonObject): Json | undefined {
  const value = part['stringValue'] ?? part['numberValue'] ?? part['boolValue'];
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return 'nullValue' in part ? null : undefined;
}

/** Writes the values as they arrive, in order. A value for an object or list that is already closed is an error, never invalid JSON. */
export class PartialArguments {
  readonly #open: Open[] = [{ step: null, list: false, keys: new Set(), count: 0 }];
  #begun = false;
  /** The path of an unfinished text, whose closing quote is still missing. */
  #text: string | null = null;

  /** The text to add for these parts. */
  write(parts: readonly Json[]): string {
    let text = '';
    for (const part of parts) {
      if (isJsonObject(part) && typeof part['jsonPath'] === 'string') text += this.#writePart(part, part['jsonPath']);
    }
    return text;
  }

  /** The text that closes the object. */
  end(): string {
    let text = this.#begun ? this.#closeText() : '{';
    while (this.#open.length > 0) text += this.#close();
    return text;
  }

  #writePart(part: JsonObject, path: string): string {
    const value = valueOf(part);
    if (value === undefined) return '';
    const goesOn = part['willContinue'] === true && typeof value === 'string';
    if (this.#text === path && typeof value === 'string') {
      const more = JSON.stringify(value).slice(1, -1);
      if (goesOn) return more;
      this.#text = null;
      return `${more}"`;
    }
    let text = this.#closeText();
    if (!this.#begun) text += '{';
    this.#begun = true;
    text += this.#goTo(parsePath(path));
    const written = JSON.stringify(value);
    if (!goesOn) return text + written;
    this.#text = path;
    return text + written.slice(0, -1);
  }

  #closeText(): string {
    if (this.#text === null) return '';
    this.#text = null;
    return '"';
  }

  #close(): string {
    return this.#open.pop()?.list === true ? ']' : '}';
  }

  /** Closes and opens the containers between the last path and this one, up to the position of its value. */
  #goTo(steps: readonly Step[]): string {
    let text = '';
    let depth = 1;
    while (depth < this.#open.length && depth < steps.length && this.#open[depth]?.step === steps[depth - 1]) depth++;
    while (this.#open.length > depth) text += this.#close();
    for (let at = depth - 1; at < steps.length; at++) {
      text += this.#enter(steps[at] as Step);
      if (at === steps.length - 1) break;
      const list = typeof steps[at + 1] === 'number';
      text += list ? '[' : '{';
      this.#open.push({ step: steps[at] as Step, list, keys: new Set(), count: 0 });
    }
    return text;
  }

  /** The text before a new member of the innermost open container. */
  #enter(step: Step): string {
    const inside = this.#open.at(-1) as Open;
    const again = typeof step === 'number' ? step < inside.count : inside.keys.has(step);
    if (again || inside.list !== (typeof step === 'number')) throw invalidAnswer('arguments that come back to an earlier place');
    let text = inside.count === 0 ? '' : ',';
    if (typeof step === 'string') {
      inside.keys.add(step);
      inside.count++;
      return `${text}${JSON.stringify(step)}:`;
    }
    if (step - inside.count > 1_000) throw invalidAnswer('arguments with too large a gap');
    for (; inside.count < step; inside.count++) text += 'null,';
    inside.count++;
    return text;
  }
}
