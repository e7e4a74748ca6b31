/** The models that the vendor offers, asked with the unsaved draft: tick those to offer, and they become rows. */
import { useMutation } from '@tanstack/react-query';
import { Alert, Button, Card, Input } from 'antd';
import { type ReactNode, useState } from 'react';
import { call } from '../../api/client.ts';
import type { Spec } from '../../api/rows.ts';
import { ErrorState } from '../../components/error-state.tsx';
import { FailedTest, type TestError } from '../../components/failed-test.tsx';
import { FittingTable } from '../../components/fitting-table.tsx';
import { Revealed } from '../../components/revealed.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

export interface FoundModel {
  readonly model: string;
  readonly operations: readonly string[] | null;
  readonly context_window: number | null;
}

interface Discovery {
  readonly ok: boolean;
  readonly duration_ms: number;
  readonly models?: readonly FoundModel[];
  readonly error?: TestError;
}

interface ModelDiscoveryProps {
  readonly spec: Spec;
  /** The stored provider; undefined for a new one, whose models are added when it is created. */
  readonly stored: string | undefined;
  readonly chosen: readonly FoundModel[];
  readonly onChoose: (models: readonly FoundModel[]) => void;
  readonly onFound: (models: readonly FoundModel[]) => void;
  readonly onAdd: () => void;
  readonly isAdding: boolean;
}

export function ModelDiscovery({ spec, stored, chosen, onChoose, onFound, onAdd, isAdding }: ModelDiscoveryProps): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const [filter, setFilter] = useState('');
  const discover = useMutation({
    mutationFn: () =>
      call<Discovery>('POST', '/api/providers/discover', { body: { spec, ...(stored === undefined ? {} : { name: stored }) } }),
    onSuccess: ({ models = [] }) => onFound(models),
  });
  const found = discover.data?.models ?? [];
  const wanted = filter.trim().toLowerCase();
  const shown = found.filter(({ model }) => model.toLowerCase().includes(wanted));
  return (
    <Card size="small" title={t('discoverTitle')} className="drawer-card">
      <p className="form-help">{t('discoverHelp')}</p>
      <Button loading={discover.isPending} onClick={() => discover.mutate()}>
        {t('discover')}
      </Button>
      {discover.error !== null && <ErrorState error={discover.error} />}
      {discover.data?.error !== undefined && <FailedTest error={discover.data.error} durationMs={discover.data.duration_ms} />}
      {discover.data?.ok === true && found.length === 0 && <Alert type="info" showIcon title={t('discoverNone')} />}
      {found.length > 0 && (
        <Revealed key={discover.submittedAt}>
          <Input
            allowClear
            type="search"
            className="discovery-filter"
            aria-label={t('discoverFilter')}
            placeholder={t('discoverFilter')}
            value={filter}
            onChange={({ target }) => setFilter(target.value)}
          />
          <FittingTable<FoundModel>
            label={t('testModel')}
            width={420}
            rowKey="model"
            rows={shown}
            pagination={{ pageSize: 20, hideOnSinglePage: true, showSizeChanger: false }}
            rowSelection={{
              selectedRowKeys: chosen.map(({ model }) => model),
              preserveSelectedRowKeys: true,
              onChange: (_keys, rows) => onChoose(rows),
              getCheckboxProps: ({ model }) => ({ 'aria-label': model }),
            }}
            columns={[
              { title: t('testModel'), render: ({ model }) => <code translate="no">{model}</code> },
              {
                title: t('operations'),
                render: ({ operations }) => <span translate="no">{operations?.join(', ') ?? '–'}</span>,
              },
              {
                title: t('context'),
                align: 'right',
                render: ({ context_window: tokens }) => (tokens === null ? '–' : format.short(tokens)),
              },
            ]}
          />
          {chosen.length > 0 &&
            (stored === undefined ? (
              <Alert type="info" showIcon title={t('addLater', { count: chosen.length })} />
            ) : (
              <Button type="primary" loading={isAdding} onClick={onAdd}>
                {t('addModels', { count: chosen.length })}
              </Button>
            ))}
        </Revealed>
      )}
    </Card>
  );
}
