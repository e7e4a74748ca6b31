/** JSON with comments and trailing commas, as editors' settings use it. */

const token = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/|\S/g;

const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ');

/** Blanks out comments and trailing commas. Offsets stay the same. Linear time. */
export function withoutComments(text: string): string {
  const parts: string[] = [];
  /** The index in `parts` of a comma followed only by comments. */
  let comma = -1;
  let end = 0;
  for (const { 0: found, index } of text.matchAll(token)) {
    parts.push(text.slice(end, index));
    end = index + found.length;
    if (found.startsWith('//') || found.startsWith('/*')) {
      parts.push(blank(found));
      continue;
    }
    if (comma !== -1 && (found === '}' || found === ']')) parts[comma] = ' ';
    comma = found === ',' ? parts.length : -1;
    parts.push(found);
  }
  return [...parts, text.slice(end)].join('');
}
