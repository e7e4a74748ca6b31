/** Parses numbers written as words. */

const units: Readonly<Record<string, number>> = Object.fromEntries(
  `zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen`
    .split(' ')
    .map((word, value) => [word, value]),
);
const tens: Readonly<Record<string, number>> = Object.fromEntries(
  'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ').map((word, index) => [word, 10 * index + 20]),
);
const powers: Readonly<Record<string, number>> = { thousand: 1e3, million: 1e6, billion: 1e9, trillion: 1e12 };
const others: Readonly<Record<string, readonly number[]>> = {
  once: [1, 11],
  single: [1],
  twice: [2],
  double: [2],
  pair: [2],
  couple: [2],
  thrice: [3],
  dozen: [12],
  half: [0.5, 50],
  quarter: [0.25, 25],
  third: [1 / 3, 3],
  // Italian, Spanish and French number words that are spelled like English ones.
  due: [2],
  sei: [6],
  mil: [1_000],
  cent: [100, 0.01],
};

const inWords = Object.keys({ ...units, ...tens, ...powers, hundred: 0 }).join('|');
const english = new RegExp(`\\b(?:${inWords})(?:(?:[ -]| and )(?:${inWords}))*\\b`, 'gi');
const oneWord = new RegExp(`\\b(${Object.keys(others).join('|')})s?\\b`, 'gi');

/** Parses such as `one hundred and twenty thousand`. */
function englishValue(run: string): number {
  let [total, section] = [0, 0];
  for (const word of run.toLowerCase().split(/[ -]+/)) {
    const power = powers[word];
    if (power !== undefined) {
      total += (section || 1) * power;
      section = 0;
    } else if (word === 'hundred') section = (section || 1) * 100;
    else section += units[word] ?? tens[word] ?? 0;
  }
  return total + section;
}

/** Chinese digits: simple, formal and full-width forms, in order from zero. */
const digits = new Map(
  ['零〇', '一壹', '二贰貳弐两兩', '三叁叄參', '四肆', '五伍', '六陆陸', '七柒', '八捌', '九玖'].flatMap((signs, value) =>
    Array.from(signs, (sign): [string, number] => [sign, value]),
  ),
);
const steps = new Map([['十', 10], ['拾', 10], ['百', 100], ['佰', 100], ['千', 1e3], ['仟', 1e3]]); // prettier-ignore
const myriads = new Map([['万', 1e4], ['萬', 1e4], ['亿', 1e8], ['億', 1e8], ['兆', 1e12]]); // prettier-ignore
const numerals = `[${[...digits.keys(), ...steps.keys(), ...myriads.keys()].join('')}]+`;
const amounts = new RegExp(`(${numerals})[元圆圓](?:(${numerals})角)?(?:(${numerals})分)?|${numerals}`, 'g');

/** Parses such as `一百二十万`, or digit by digit `二〇二六`. */
function chineseValue(run: string): number {
  const own = Array.from(run, (sign) => digits.get(sign));
  if (own.every((digit) => digit !== undefined)) return Number(own.join(''));
  let [total, section, digit] = [0, 0, 0];
  for (const sign of run) {
    const [step, myriad] = [steps.get(sign), myriads.get(sign)];
    if (step !== undefined) {
      section += (digit || 1) * step;
      digit = 0;
    } else if (myriad !== undefined) {
      total += (section + digit || 1) * myriad;
      [section, digit] = [0, 0];
    } else digit = digits.get(sign) ?? 0;
  }
  return total + section + digit;
}

/** Replaces Chinese numerals of years, months and days by digits. */
export const datesInDigits = (words: string): string =>
  words.replaceAll(/[零〇一二三四五六七八九十]+(?=[年月日号號])/g, (run) => String(chineseValue(run)));

/** The numbers in English and Chinese words. A run of number words is one number. */
export function numbersInWords(words: string): readonly number[] {
  const found = [...words.matchAll(english)].map(([run]) => englishValue(run));
  for (const [, word = ''] of words.matchAll(oneWord)) found.push(...(others[word.toLowerCase()] ?? []));
  for (const [run, whole, tenths, hundredths] of words.matchAll(amounts)) {
    const part = (own: string | undefined, share: number): number => (own === undefined ? 0 : chineseValue(own) / share);
    found.push(whole === undefined ? chineseValue(run) : part(whole, 1) + part(tenths, 10) + part(hundredths, 100));
  }
  return found;
}

/** Number words of other common languages. Their value is not parsed and is trusted. */
const elsewhere =
  /\b(ein(s|e|en|er|em|es)?|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|dreißig|\w+zig|hundert|tausend|dutzend|halb|viertel)|\b(une?|deux|trois|quatre|cinq|sept|huit|neuf|dix|onze|douze|vingt|trente|mille|demi|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|veinte|treinta|ciento|medi[oa]|tre|quattro|cinque|sette|otto|nove|dieci|venti)\b|半|\b(hundreds|thousands)\b/i;

export const isUnsupportedNumberWord = (words: string): boolean => elsewhere.test(words);
