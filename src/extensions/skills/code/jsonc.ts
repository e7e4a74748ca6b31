/** JSON as editors' settings have it: with comments, and a comma after the last one. */

const token = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/|\S/g;

const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ');

/** The same JSON without them; every character stays in its place, so that a fault is told where it stands. In time that grows with its length. */
export function withoutComments(text: string): string {
  const parts: string[] = [];
  /** Where in `parts` a comma stands behind which nothing but comments came. */
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
