/** Configuration: every change with its difference, rows that could not be used, and going back to a revision. */
import { DownloadOutlined, ImportOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Alert, Button, Tag } from 'antd';
import { type ReactNode, useMemo } from 'react';
import { call } from '../../api/client.ts';
import { usePaged } from '../../api/rows.ts';
import { ActButton } from '../../components/act-button.tsx';
import { DownloadButton } from '../../components/download-button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { type Column, ResourceTable } from '../../components/resource-table.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { actOf, type ConfigEntry } from './config-entry.ts';
import { ImportDrawer } from './import-drawer.tsx';
import { RevisionDrawer } from './revision-drawer.tsx';
import { texts } from './texts.ts';

interface Problem {
  readonly kind: string;
  readonly name: string;
  readonly message: string;
}

const colors = { created: 'success', changed: 'processing', deleted: 'error' } as const;

function Problems(): ReactNode {
  const t = useTexts(texts);
  const { data } = useQuery({
    queryKey: ['/api/config/problems'],
    queryFn: async ({ signal }) => (await call<{ readonly data: readonly Problem[] }>('GET', '/api/config/problems', { signal })).data,
  });
  if (data === undefined || data.length === 0) return null;
  return (
    <Alert
      type="warning"
      showIcon
      className="drawer-note"
      title={t('problems', { count: data.length })}
      description={
        <ul className="plain-list" translate="no">
          {data.map(({ kind, name, message }) => (
            <li key={`${kind} ${name} ${message}`}>
              <code>
                {kind}/{name}
              </code>{' '}
              {message}
            </li>
          ))}
        </ul>
      }
    />
  );
}

export function ConfigurationPage(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const [{ open, add }, setSearch] = useSearchState('open', 'add');
  const query = usePaged<ConfigEntry>('/api/config/history', { order: 'newest' }, { limit: 100 });

  const columns = useMemo(
    (): readonly Column<ConfigEntry>[] => [
      {
        key: 'revision',
        title: t('revision'),
        width: 100,
        fixed: 'start',
        render: ({ revision }) => (
          <Button type="link" size="small" className="row-name" onClick={() => setSearch({ open: String(revision) })}>
            {revision}
          </Button>
        ),
      },
      { key: 'at', title: t('at'), width: 170, render: ({ at }) => format.dateTime(at) },
      { key: 'actor', title: t('actor'), width: 140, render: ({ actor }) => <span translate="no">{actor}</span> },
      {
        key: 'act',
        title: t('act'),
        width: 90,
        render: (entry) => <Tag color={colors[actOf(entry)]}>{t(`act.${actOf(entry)}`)}</Tag>,
      },
      { key: 'kind', title: t('kind'), width: 110, render: ({ kind }) => t(`kind.${kind}`) },
      { key: 'name', title: t('name'), width: 260, render: ({ name }) => <code translate="no">{name}</code> },
    ],
    [t, format, setSearch],
  );

  return (
    <>
      <PageHeader
        title={t('title')}
        purpose={t('purpose')}
        actions={
          <>
            <ActButton icon={<ImportOutlined aria-hidden />} onClick={() => setSearch({ add: 'import', open: undefined })}>
              {t('import')}
            </ActButton>
            <DownloadButton icon={<DownloadOutlined aria-hidden />} path="/api/config/export" name="pailou.json">
              {t('export')}
            </DownloadButton>
          </>
        }
      />
      <Problems />
      <ResourceTable
        label={t('title')}
        query={query}
        columns={columns}
        rowKey={({ revision, kind, name }) => `${revision} ${kind} ${name}`}
        textOf={({ revision, actor, kind, name }) => `${revision} ${actor} ${kind} ${name}`}
        empty={<EmptyState title={t('emptyTitle')} help={t('emptyHelp')} />}
      />
      {add === 'import' && <ImportDrawer onClose={() => setSearch({ add: undefined })} />}
      {open !== undefined && <RevisionDrawer key={open} revision={Number(open)} onClose={() => setSearch({ open: undefined })} />}
    </>
  );
}
