/** Groups the texts of a page by position: parts of words to segments, segments to lines. */

/** A text of the parser in displayed coordinates; y grows downwards. */
export interface PlacedText {
  readonly text: string;
  readonly x: number;
  /** The baseline. */
  readonly y: number;
  readonly width: number;
  readonly size: number;
  /** True for right-to-left text. */
  readonly isLeftward: boolean;
}

/** A part of a segment between gaps that are wider than a space between words. */
interface Part {
  text: string;
  readonly left: number;
  right: number;
}

/** A run of text on a line without a wide gap. */
export interface Segment extends Part {
  readonly y: number;
  readonly size: number;
  readonly parts: readonly Part[];
}

export interface Line {
  readonly y: number;
  readonly size: number;
  readonly segments: readonly Segment[];
}

/** Gaps in units of the font size: from the first on a space, from the second on a cell boundary if other rows have one there, from the third on always one. */
const spaceGap = 0.17;
const partGap = 0.45;
const cellGap = 0.95;

/** Texts arrive from top to bottom, so only the last rows can match. */
const nearestRows = 8;

/** Splits a text at wide runs of spaces, with which reports align tables. */
function splitAtGaps(item: PlacedText): readonly PlacedText[] {
  if (!/\S\s{3,}\S/.test(item.text)) return [item];
  const step = item.width / item.text.length;
  return [...item.text.matchAll(/\S+(?:\s{1,2}\S+)*/g)].map(({ 0: text, index }) => ({
    ...item,
    text,
    x: item.x + index * step,
    width: text.length * step,
  }));
}

/** True when two texts share a line, superscripts included. */
function sharesLine(one: { y: number; size: number }, other: { y: number; size: number }): boolean {
  const overlap =
    Math.min(one.y + one.size * 0.2, other.y + other.size * 0.2) - Math.max(one.y - one.size * 0.8, other.y - other.size * 0.8);
  return overlap > Math.min(one.size, other.size) * 0.5;
}

/** Mirrors a text, so that a right-to-left line runs to the right. */
const mirrored = (item: PlacedText): PlacedText => ({ ...item, x: -item.x - item.width });

function rightwardSegments(items: readonly PlacedText[]): Segment[] {
  const segments: (Segment & { readonly parts: Part[] })[] = [];
  for (const item of items.toSorted((one, other) => one.x - other.x)) {
    const text = item.text.trim();
    const last = segments.at(-1);
    const gap = last === undefined ? Infinity : (item.x - last.right) / Math.min(item.size, last.size);
    // A text printed twice with a small offset to look bold.
    if (last !== undefined && last.text.endsWith(text) && Math.abs(last.right - item.x - item.width) < item.size * 0.2) continue;
    if (last === undefined || gap >= cellGap) {
      const part = { text, left: item.x, right: item.x + item.width };
      segments.push({ ...part, y: item.y, size: item.size, parts: [part] });
      continue;
    }
    const right = Math.max(last.right, item.x + item.width);
    const part = last.parts.at(-1);
    const added = `${gap >= spaceGap || item.text.startsWith(' ') ? ' ' : ''}${text}`;
    if (gap >= partGap || part === undefined) last.parts.push({ text, left: item.x, right });
    else Object.assign(part, { text: part.text + added, right });
    last.text += added;
    last.right = right;
  }
  return segments;
}

const turned = <P extends Part>(part: P): P => ({ ...part, left: -part.right, right: -part.left });

function segmentsOf(items: readonly PlacedText[]): Segment[] {
  const isLeftward = items.filter((item) => item.isLeftward).length * 2 > items.length;
  if (!isLeftward) return rightwardSegments(items);
  return rightwardSegments(items.map(mirrored)).map((each) => ({ ...turned(each), parts: each.parts.map(turned) }));
}

/** The lines from top to bottom, each from left to right. */
export function linesOf(items: readonly PlacedText[]): readonly Line[] {
  const placed = items.filter(({ text }) => text.trim() !== '').flatMap(splitAtGaps);
  const rows: { y: number; size: number; items: PlacedText[] }[] = [];
  for (const item of placed.toSorted((one, other) => one.y - other.y)) {
    const row = rows.slice(-nearestRows).findLast((each) => sharesLine(each, item));
    if (row === undefined) rows.push({ y: item.y, size: item.size, items: [item] });
    else {
      row.items.push(item);
      // The largest letters define the position of the line.
      if (item.size > row.size) Object.assign(row, { y: item.y, size: item.size });
    }
  }
  return rows.toSorted((one, other) => one.y - other.y).map(({ y, size, items: own }) => ({ y, size, segments: segmentsOf(own) }));
}
