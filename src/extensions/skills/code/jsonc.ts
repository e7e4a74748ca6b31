/** JSON as editors' settings have it: with comments, and a comma after the last one. */

const token = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*[}\]])/g;

/** The same JSON without them; every character stays in its place, so that a fault is told where it stands. */
export function withoutComments(text: string): string {
  return text.replaceAll(token, (found) => (found.startsWith('"') ? found : found.replaceAll(/[^\n]/g, ' ')));
}
