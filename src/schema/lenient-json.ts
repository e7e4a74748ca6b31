/** Repairs common mistakes in a model's JSON: trailing commas and line breaks within strings. */

const control = /[\u0000-\u001f]/; // oxlint-disable-line no-control-regex -- these are what JSON wants escaped

const escaped = (sign: string): string => JSON.stringify(sign).slice(1, -1);

/** Repairs the text in one pass. Other faults remain. */
export function repairJson(text: string): string {
  const parts: string[] = [];
  let inText = false;
  /** The index in `parts` of a comma followed only by white space. */
  let comma = -1;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] as string;
    if (inText) {
      if (sign === '\\') parts.push(sign, text[++at] ?? '');
      else parts.push(control.test(sign) ? escaped(sign) : sign);
      if (sign === '"') inText = false;
      continue;
    }
    if ((sign === '}' || sign === ']') && comma !== -1) parts[comma] = '';
    if (!/\s/.test(sign)) comma = sign === ',' ? parts.length : -1;
    inText = sign === '"';
    parts.push(sign);
  }
  return parts.join('');
}
