/** The language of the reader: chosen, or the browser's. */
import { createContext, use, useEffect, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { readViewSetting, writeViewSetting } from './view-settings.ts';

export const languages = ['zh', 'en'] as const;
export type Language = (typeof languages)[number];

interface LanguageChoice {
  readonly language: Language;
  readonly choose: (language: Language) => void;
}

const Context = createContext<LanguageChoice>({ language: 'en', choose: () => undefined });

function initialLanguage(): Language {
  const stored = readViewSetting('language');
  if (stored === 'zh' || stored === 'en') return stored;
  return navigator.languages.some((each) => each.toLowerCase().startsWith('zh')) ? 'zh' : 'en';
}

export function LanguageProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [language, setLanguage] = useState(initialLanguage);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }, [language]);
  const value = useMemo(
    () => ({
      language,
      choose(next: Language) {
        writeViewSetting('language', next);
        setLanguage(next);
      },
    }),
    [language],
  );
  return <Context value={value}>{children}</Context>;
}

export function useLanguage(): LanguageChoice {
  return use(Context);
}
