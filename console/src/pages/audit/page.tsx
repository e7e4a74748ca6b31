/** Audit: who did what to which row, every denial and every sign-in, with filters in the address. */
import { DownloadOutlined } from '@ant-design/icons';
import { Button, Select } from 'antd';
import { type ReactNode, useMemo, useState } from 'react';
import { queryOf } from '../../api/client.ts';
import { usePaged } from '../../api/rows.ts';
import { DownloadButton } from '../../components/download-button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { type Column, ResourceTable } from '../../components/resource-table.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { TextFilter } from '../../components/text-filter.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { ActTag } from './act-tag.tsx';
import { commonActs } from './acts.ts';
import { EntryDetail } from './entry-detail.tsx';
import { type AuditEntry, EntryDrawer } from './entry-drawer.tsx';
import { texts } from './texts.ts';
import { VerifyChain } from './verify-chain.tsx';

const filterNames = ['actor', 'act', 'target', 'request_id'] as const;

export function AuditPage(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const [filters, setSearch] = useSearchState(...filterNames);
  const [open, setOpen] = useState<AuditEntry | null>(null);
  const query = usePaged<AuditEntry>('/api/audit', filters, { limit: 100 });
  const isFiltered = Object.keys(filters).length > 0;

  const columns = useMemo(
    (): readonly Column<AuditEntry>[] => [
      {
        key: 'at',
        title: t('at'),
        width: 170,
        fixed: 'start',
        render: (entry) => (
          <Button type="link" size="small" className="row-name" onClick={() => setOpen(entry)}>
            {format.dateTime(entry.at)}
          </Button>
        ),
      },
      { key: 'actor', title: t('actor'), width: 150, render: ({ actor }) => <span translate="no">{actor}</span> },
      { key: 'act', title: t('act'), width: 120, render: ({ act }) => <ActTag act={act} /> },
      { key: 'target', title: t('target'), width: 240, render: ({ target }) => <code translate="no">{target}</code> },
      {
        key: 'detail',
        title: t('detail'),
        width: 300,
        render: ({ detail, sentences }) => detail !== null && <EntryDetail detail={detail} sentences={sentences} />,
      },
    ],
    [t, format],
  );

  return (
    <>
      <PageHeader
        title={t('title')}
        purpose={t('purpose')}
        actions={
          <>
            <VerifyChain />
            <DownloadButton icon={<DownloadOutlined aria-hidden />} path={`/api/audit/export${queryOf({ ...filters, format: 'csv' })}`}>
              {t('export')}
            </DownloadButton>
          </>
        }
      />
      <div className="table-tools">
        <Select
          className="text-filter"
          allowClear
          aria-label={t('act')}
          placeholder={t('act')}
          value={filters.act ?? null}
          options={commonActs.map((act) => ({ value: act, label: t(`act.${act}`) }))}
          onChange={(next: string | undefined) => setSearch({ act: next ?? '' })}
        />
        {(['actor', 'target', 'request_id'] as const).map((name) => (
          <TextFilter
            key={`${name} ${filters[name] ?? ''}`}
            label={t(name === 'request_id' ? 'requestId' : name)}
            value={filters[name] ?? ''}
            onEnter={(text) => setSearch({ [name]: text })}
          />
        ))}
      </div>
      <ResourceTable
        label={t('title')}
        query={query}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<EmptyState title={t(isFiltered ? 'noMatch' : 'emptyTitle')} help={t('emptyHelp')} />}
      />
      {open !== null && <EntryDrawer entry={open} onClose={() => setOpen(null)} />}
    </>
  );
}
