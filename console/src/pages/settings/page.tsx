/** The page Settings: how long data is kept, and the settings of the process with their meaning, read-only. */
import { useNavigate } from '@tanstack/react-router';
import { Button } from 'antd';
import { type ReactNode, useMemo } from 'react';
import { usePaged } from '../../api/rows.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { type Column, ResourceTable } from '../../components/resource-table.tsx';
import { HelpText } from '../../components/schema-form/help-text.tsx';
import { useLanguage } from '../../i18n/language.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { KeptFacts } from './kept-facts.tsx';
import type { Setting } from './setting.ts';
import { texts } from './texts.ts';

/** Some defaults are described in words, which exist in English alone. */
const isValue = (text: string): boolean => !text.includes(' ');

export function SettingsPage(): ReactNode {
  const t = useTexts(texts);
  const { language } = useLanguage();
  const navigate = useNavigate();
  const query = usePaged<Setting>('/api/settings');
  const columns = useMemo(
    (): readonly Column<Setting>[] => [
      { key: 'name', title: t('name'), width: 300, fixed: 'start', render: ({ name }) => <code translate="no">{name}</code> },
      {
        key: 'value',
        title: t('value'),
        width: 240,
        render: ({ value, is_set, is_secret, default: byDefault }) =>
          is_set && is_secret ? (
            t('secretSet')
          ) : is_set ? (
            <code className="wrap" translate="no">
              {value}
            </code>
          ) : (
            <>
              {t('byDefault')}{' '}
              {(language === 'en' || isValue(byDefault)) && (
                <code className="wrap" translate="no">
                  {byDefault}
                </code>
              )}
            </>
          ),
      },
      { key: 'meaning', title: t('meaning'), width: 460, render: ({ help }) => <HelpText text={help[language]} /> },
    ],
    [t, language],
  );
  const settings = query.data?.pages.flatMap(({ data }) => data) ?? [];
  return (
    <>
      <PageHeader
        title={t('title')}
        purpose={t('purpose')}
        actions={<Button onClick={() => void navigate({ to: '/limits' })}>{t('limits')}</Button>}
      />
      {settings.length > 0 && <KeptFacts settings={settings} />}
      <section aria-label={t('process')}>
        <h2 className="drawer-heading">{t('process')}</h2>
        <p className="form-help">{t('processHelp')}</p>
        <ResourceTable
          query={query}
          columns={columns}
          rowKey={({ name }) => name}
          textOf={({ name, value, help }) => `${name} ${value ?? ''} ${help[language]}`}
          label={t('process')}
          empty={<EmptyState title={t('emptyTitle')} help={t('emptyHelp')} />}
        />
      </section>
    </>
  );
}
