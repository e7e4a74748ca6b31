/** Renders the meaning of HTML formatting as plain text. */

type Attributes = ReadonlyMap<string, string>;

const raised: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from('0123456789+-\u2212()', (sign, at) => [sign, Array.from('⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾')[at] ?? sign]),
);

/** Superscripts and footnote numbers, which would otherwise join the number before them. */
export const superscript = (chunk: string): string =>
  /^[\d\s,+\-\u2212()]+$/.test(chunk) ? chunk.replaceAll(/[\d+\-\u2212()]/g, (sign) => raised[sign] ?? sign) : chunk;

const concealed =
  /\b(display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|(font-size|opacity)\s*:\s*0(\.0*)?(px|pt|em|rem|%)?\s*(!|;|$))/i;

/** True for hidden elements. */
export const isConcealed = (attributes: Attributes): boolean => attributes.has('hidden') || concealed.test(attributes.get('style') ?? '');

/** True for deleted text. */
export const isStruck = (name: string): boolean => name === 'del' || name === 's' || name === 'strike';

const noWords = new Set(['button', 'color', 'file', 'hidden', 'image', 'password', 'range', 'reset', 'submit']);

/** The value of a form field, or a mark for a ticked one; empty for none. */
export function filledIn(attributes: Attributes): string {
  const type = attributes.get('type')?.toLowerCase() ?? '';
  if (type === 'checkbox' || type === 'radio') return attributes.has('checked') ? '☒' : '☐';
  return noWords.has(type) ? '' : (attributes.get('value')?.trim() ?? '');
}

interface List {
  /** The open lists. */
  readonly depth: number;
  readonly isOrdered: boolean;
  readonly type: string;
  next: number;
}

/** `a` to `z`, then numbers. */
function numeral(value: number, type: string): string {
  if ((type !== 'a' && type !== 'A') || value < 1 || value > 26) return String(value);
  return String.fromCharCode(type.charCodeAt(0) + value - 1);
}

/** Markers of nested list items. */
export function listMarks() {
  const lists: List[] = [];
  return {
    open(name: string, depth: number, attributes: Attributes): void {
      const start = Number(attributes.get('start') ?? 1);
      const type = attributes.get('type') ?? '';
      while ((lists.at(-1)?.depth ?? -1) >= depth) lists.pop();
      lists.push({ depth, isOrdered: name === 'ol', type, next: Number.isSafeInteger(start) ? start : 1 });
    },
    /** Indents the item by its depth. */
    item(depth: number, attributes: Attributes): string {
      while ((lists.at(-1)?.depth ?? -1) >= depth) lists.pop();
      const list = lists.at(-1);
      const indent = '  '.repeat(Math.min(Math.max(lists.length - 1, 0), 8));
      if (list === undefined || !list.isOrdered) return `${indent}- `;
      const value = Number(attributes.get('value') ?? Number.NaN);
      if (Number.isSafeInteger(value)) list.next = value;
      return `${indent}${numeral(list.next++, list.type)}. `;
    },
  };
}
