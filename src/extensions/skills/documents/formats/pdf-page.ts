/** The text of one page by the position of its letters, for any rotation of page or text. */
import { blocksOf } from './pdf-columns.ts';
import { withoutRadicals } from '../../../../text/cjk-radicals.ts';
import { linesOf, type PlacedText } from './pdf-segments.ts';
import { textOf } from './pdf-tables.ts';

/** A PDF matrix: a b c d e f. */
type Matrix = readonly number[];

export interface PageItem {
  readonly str: string;
  /** `ltr`, `rtl`, or `ttb` for vertical text. */
  readonly dir: string;
  readonly transform: Matrix;
  readonly width: number;
  readonly height: number;
}

function times([a = 1, b = 0, c = 0, d = 1, e = 0, f = 0]: Matrix, [g = 1, h = 0, i = 0, j = 1, k = 0, l = 0]: Matrix): Matrix {
  return [a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * l + e, b * k + d * l + f];
}

/** The rotation in clockwise quarter turns. */
function quartersOf([a = 1, b = 0]: Matrix): number {
  return (Math.round(Math.atan2(b, a) / (Math.PI / 2)) + 4) % 4;
}

/** Rotates a point so that text turned by `quarters` is upright. */
function upright(x: number, y: number, quarters: number): readonly [number, number] {
  switch (quarters) {
    case 1:
      return [y, -x];
    case 2:
      return [-x, -y];
    case 3:
      return [-y, x];
    default:
      return [x, y];
  }
}

/** Vertical columns, from right to left. */
function downwardText(items: readonly PlacedText[]): string {
  return items
    .toSorted((one, other) => other.x - one.x || one.y - other.y)
    .map(({ text }) => text.trim())
    .join('\n');
}

/** `viewport` maps page coordinates to displayed coordinates. */
export function pageText(items: readonly PageItem[], viewport: Matrix): string {
  const turned = new Map<number, PlacedText[]>();
  const downward: PlacedText[] = [];
  for (const { str, dir, transform, width, height } of items) {
    if (str.trim() === '') continue;
    const text = withoutRadicals(str);
    const seen = times(viewport, transform);
    const quarters = quartersOf(seen);
    const [x, y] = upright(seen[4] ?? 0, seen[5] ?? 0, quarters);
    const size = Math.hypot(seen[2] ?? 0, seen[3] ?? 0) || height || 1;
    const placed = { text, x, y, width, size, isLeftward: dir === 'rtl' };
    const group = dir === 'ttb' ? downward : (turned.get(quarters) ?? []);
    group.push(placed);
    if (group !== downward) turned.set(quarters, group);
  }
  const blocks = [...turned.values()]
    .toSorted((one, other) => other.length - one.length)
    .flatMap((group) => blocksOf(linesOf(group)))
    .map(textOf);
  return [downwardText(downward), ...blocks].join('\n').trim();
}
