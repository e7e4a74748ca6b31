/** Numbers, times and amounts of money in the reader's language and time zone. */
import { useMemo } from 'react';
import { type Language, useLanguage } from './language.tsx';

const locales: Readonly<Record<Language, string>> = { zh: 'zh-CN', en: 'en-US' };
/** English is read on both sides of the Atlantic, so its dates are those of ISO 8601, which Sweden writes. */
const dateLocales: Readonly<Record<Language, string>> = { zh: 'zh-CN', en: 'sv-SE' };
const units = { zh: { ms: '毫秒', s: '秒', min: '分钟' }, en: { ms: 'ms', s: 's', min: 'min' } } as const;
const empty = '–';

export interface Format {
  number(value: number): string;
  /** Large numbers in short: 12.3K, 1.2万; smaller ones in full. */
  short(value: number): string;
  percent(share: number): string;
  dateTime(iso: string | null): string;
  /** Milliseconds as 340 ms, 2.4 s or 3 min. */
  duration(ms: number | null): string;
  money(amount: number | null, currency: string | null): string;
}

export function createFormat(language: Language): Format {
  const locale = locales[language];
  const whole = new Intl.NumberFormat(locale);
  const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });
  const decimal = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const share = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
  const moment = new Intl.DateTimeFormat(dateLocales[language], {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  const unit = (value: number, name: keyof (typeof units)['en']): string => `${decimal.format(value)} ${units[language][name]}`;
  return {
    number: (value) => whole.format(value),
    short: (value) => (Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value)),
    percent: (value) => share.format(value),
    dateTime: (iso) => (iso === null ? empty : moment.format(new Date(iso))),
    duration(ms) {
      if (ms === null) return empty;
      if (ms < 1_000) return unit(Math.round(ms), 'ms');
      return ms < 120_000 ? unit(ms / 1_000, 's') : unit(ms / 60_000, 'min');
    },
    money(amount, currency) {
      if (amount === null) return empty;
      if (currency === null) return whole.format(amount);
      // Single calls cost fractions of a cent.
      const digits = amount !== 0 && Math.abs(amount) < 0.1 ? 6 : 2;
      return new Intl.NumberFormat(locale, { style: 'currency', currency, minimumFractionDigits: 2, maximumFractionDigits: digits }).format(
        amount,
      );
    },
  };
}

export function useFormat(): Format {
  const { language } = useLanguage();
  return useMemo(() => createFormat(language), [language]);
}
