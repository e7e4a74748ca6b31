/** Random model answers with every kind of content that a wire format has, in any order. */

export type Item =
  | { readonly kind: 'text' | 'thought'; readonly text: string }
  | { readonly kind: 'call'; readonly id: string; readonly name: string; readonly arguments: string }
  | { readonly kind: 'image'; readonly url: string }
  | { readonly kind: 'citation'; readonly url: string };
export type Step =
  | Item
  | { readonly kind: 'finish'; readonly reason: 'stop' | 'length' }
  | { readonly kind: 'counts'; readonly output: number };

export type Random = () => number;

/** Mulberry32: equal seeds give equal numbers. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const below = (random: Random, limit: number): number => Math.floor(random() * limit);

/** The content kinds of a format, and the places of its finish reason and counts. */
export interface Abilities {
  readonly items: readonly Item['kind'][];
  /** True when finish reasons and counts may occur anywhere and repeatedly. */
  readonly anywhere: boolean;
}

const scripts = ['word ', '牌楼', '🏮', 'é', '\n', '"\\', '</t', 'data: ', '[DONE]', '{}'];
const pixel = 'data:image/png;base64,iVBORw0KGgo=';

/** No chunk starts like the one before it, so that a repeating vendor can be detected. */
function words(random: Random, at: number): string {
  let text = String.fromCodePoint(0x61 + (at % 26));
  for (let count = below(random, 4); count >= 0; count--) text += scripts[below(random, scripts.length)];
  return text;
}

function itemOf(kind: Item['kind'], random: Random, at: number): Item {
  switch (kind) {
    case 'text':
    case 'thought':
      return { kind, text: words(random, at) };
    case 'call':
      return { kind, id: `call_${at}`, name: `tool_${below(random, 3)}`, arguments: JSON.stringify({ at, said: words(random, at) }) };
    case 'image':
      return { kind, url: pixel };
    case 'citation':
      return { kind, url: `https://example.com/${at}` };
  }
}

/** The steps of one answer in the vendor's order. `proper`: the last one marks the end. */
export function randomSteps(random: Random, { items, anywhere }: Abilities): { readonly steps: readonly Step[]; readonly proper: boolean } {
  const steps: Step[] = [];
  const reason = (): 'stop' | 'length' => (random() < 0.7 ? 'stop' : 'length');
  const length = 1 + below(random, 10);
  for (let at = 0; at < length; at++) {
    const kind = items[below(random, items.length)] as Item['kind'];
    steps.push(itemOf(at === 0 ? 'text' : kind, random, at));
    if (anywhere && random() < 0.15) steps.push({ kind: 'finish', reason: reason() });
    if (anywhere && random() < 0.15) steps.push({ kind: 'counts', output: below(random, 1_000) });
  }
  const proper = random() < 0.85;
  if (proper) steps.push({ kind: 'finish', reason: reason() });
  if (proper && random() < 0.8) steps.push({ kind: 'counts', output: below(random, 1_000) });
  return { steps, proper };
}

/** The content that a client must have of some items. */
export interface Content {
  readonly text: string;
  readonly thoughts: string;
  readonly calls: readonly string[];
  readonly images: readonly string[];
  readonly citations: readonly string[];
}

export function contentOf(steps: readonly Step[]): Content {
  const of = (kind: 'text' | 'thought'): string => steps.map((step) => (step.kind === kind ? step.text : '')).join('');
  return {
    text: of('text'),
    thoughts: of('thought'),
    calls: steps.flatMap((step) => (step.kind === 'call' ? [`${step.name}(${step.arguments})`] : [])),
    images: steps.flatMap((step) => (step.kind === 'image' ? [step.url] : [])),
    citations: steps.flatMap((step) => (step.kind === 'citation' ? [step.url] : [])),
  };
}
