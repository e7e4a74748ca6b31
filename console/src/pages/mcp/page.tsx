/** MCP services: the list, and one service beside it with its form, what was discovered, an inspector and its state. */
import { PlusOutlined } from '@ant-design/icons';
import { Button, Tag } from 'antd';
import { type ReactNode, useMemo } from 'react';
import { gatewayPath } from '../../api/client.ts';
import { type Row, usePaged } from '../../api/rows.ts';
import { Can } from '../../components/can.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { KindTitle } from '../../components/kind-title.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { type Column, ResourceTable } from '../../components/resource-table.tsx';
import { RowName } from '../../components/row-name.tsx';
import { RowState } from '../../components/row-state.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import type { McpSpec } from './mcp-api.ts';
import { ServerDrawer } from './server-drawer.tsx';
import { texts } from './texts.ts';

type ServerRow = Row<McpSpec>;

export function McpPage(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const [{ open, add, tab }, setSearch] = useSearchState('open', 'add', 'tab');
  const query = usePaged<ServerRow>('/api/mcp-servers');

  const columns = useMemo(
    (): readonly Column<ServerRow>[] => [
      {
        key: 'name',
        title: t('title'),
        width: 170,
        fixed: 'start',
        render: (row) => <RowName row={row} onOpen={() => setSearch({ open: row.name, add: undefined, tab: 'items' })} />,
      },
      { key: 'description', title: t('description'), width: 250, render: ({ spec }) => <span translate="no">{spec.description}</span> },
      {
        key: 'kind',
        title: t('kind'),
        width: 210,
        render: ({ spec }) => (
          <Tag>
            <KindTitle type="mcp" kind={spec.kind} />
          </Tag>
        ),
      },
      {
        key: 'address',
        title: t('gateAddress'),
        width: 170,
        render: ({ name }) => {
          const path = `${gatewayPath}mcp/${name}`;
          return (
            <>
              <code translate="no">{path}</code>
              <CopyButton text={location.origin + path} label={name} />
            </>
          );
        },
      },
      { key: 'changed', title: t('changed'), width: 165, render: (row) => format.dateTime(row.updated_at) },
      { key: 'state', title: t('state'), width: 105, fixed: 'end', render: (row) => <RowState row={row} /> },
    ],
    [t, format, setSearch],
  );

  const addButton = (
    <Can right="llm:mcp:manage">
      <Button type="primary" icon={<PlusOutlined />} onClick={() => setSearch({ add: 'yes', open: undefined })}>
        {t('add')}
      </Button>
    </Can>
  );
  return (
    <>
      <PageHeader title={t('title')} purpose={t('purpose')} actions={addButton} />
      <ResourceTable
        label={t('title')}
        query={query}
        columns={columns}
        rowKey={({ id }) => id}
        textOf={({ name, spec }) => `${name} ${spec.description} ${spec.kind}`}
        empty={<EmptyState title={t('emptyTitle')} help={t('emptyHelp')} action={addButton} />}
      />
      {(open !== undefined || add !== undefined) && (
        <ServerDrawer
          key={open ?? 'new'}
          name={open ?? null}
          tab={tab}
          onTab={(next) => setSearch({ tab: next === 'form' ? undefined : next })}
          onClose={() => setSearch({ open: undefined, add: undefined, tab: undefined })}
          onSaved={(name) => name !== open && setSearch({ open: name, add: undefined, tab: 'items' })}
        />
      )}
    </>
  );
}
