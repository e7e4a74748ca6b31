/** Recognises currencies by code, sign and name. */

const names: Readonly<Record<string, RegExp>> = {
  eur: /€|\beuros?\b/,
  gbp: /£|\bpounds?\b/,
  jpy: /¥|円|\byen\b/,
  cny: /¥|元|人民币|\brmb\b|\byuan\b/,
  krw: /₩|원|\bwon\b/,
  inr: /₹|\brs\b|\brupees?\b/,
  chf: /\bs?fr\b|\bfranken\b|\bfrancs?\b/,
  pln: /zł|\bzloty\b/,
  czk: /kč/,
  try: /₺/,
  rub: /₽|руб/,
  uah: /₴|грн/,
  ils: /₪/,
  vnd: /₫/,
  thb: /฿|บาท/,
  ngn: /₦/,
  php: /₱/,
  brl: /r\$/,
  ...Object.fromEntries(['sek', 'nok', 'dkk', 'isk'].map((code) => [code, /\bkr\b|\bkronor\b|\bkroner?\b|\bkrónur\b/])),
  ...Object.fromEntries(['usd', 'aud', 'cad', 'nzd', 'sgd', 'hkd', 'twd', 'mxn'].map((code) => [code, /\$|\bdollars?\b/])),
};

const isOf = (text: string, code: string, name: RegExp): boolean => new RegExp(`\\b${code}\\b`).test(text) || name.test(text);

/** True when an amount's currency differs from the one in the quoted text. Both texts are in lower case. An ambiguous sign matches each of its currencies. */
export function mentionsOtherCurrency(own: string, said: string): boolean {
  return Object.entries(names).some(([code, name]) => {
    const [found = ''] = new RegExp(`\\b${code}\\b|${name.source}`).exec(own) ?? [];
    return found === own && isOf(said, code, name);
  });
}
