/** Switches between Chinese and English. Each language is named in itself. */
import { Segmented } from 'antd';
import type { ReactNode } from 'react';
import { type Language, useLanguage } from '../i18n/language.tsx';
import { useTexts } from '../i18n/texts.ts';
import { texts } from './texts.ts';

export function LanguageSwitch(): ReactNode {
  const { language, choose } = useLanguage();
  const t = useTexts(texts);
  return (
    <Segmented<Language>
      size="small"
      aria-label={t('language')}
      value={language}
      options={[
        { value: 'zh', label: <span lang="zh-CN">中文</span> },
        {
          value: 'en',
          label: (
            <span lang="en" translate="no">
              English
            </span>
          ),
        },
      ]}
      onChange={choose}
    />
  );
}
