/** Arguments of a call that Vertex streams value by value, each with its JSON path, as the text of one JSON object. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { invalidAnswer } from '../../answer-json.ts';

type Step = string | number;

interface Open {
  /** The step that leads into it; null for the whole object. */
  readonly step: Step | null;
  readonly list: boolean;
  readonly keys: Set<string>;
  count: number;
}

const stepPattern = /\.([^.[\]]+)|\[(\d+)\]|\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]/y;

/** `$.recipe.steps[0].text` or `$['any key']` as steps. */
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

/** Writes on as the values come, in their order. A place that was left cannot be come back to: that is an error, never wrong JSON. */
export class PartialArguments {
  readonly #open: Open[] = [{ step: null, list: false, keys: new Set(), count: 0 }];
  #begun = false;
  /** The place of a text that goes on, whose closing quote is still to come. */
  #text: string | null = null;

  /** The text to add for these parts. */
  write(parts: readonly Json[]): string {
    let text = '';
    for (const part of parts) {
      if (isJsonObject(part) && typeof part['jsonPath'] === 'string') text += this.#writePart(part, part['jsonPath']);
    }
    return text;
  }

  /** What closes the object. */
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

  /** Closes and opens what lies between the last place and this one, up to where its value is written. */
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

  /** What stands before a new member of the innermost open object or list. */
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
