/** MCP services: the list, and one service beside it with its form, what was discovered, an inspector and its state. */
import { type ReactNode, useMemo } from 'react';
import { gatewayPath } from '../../api/client.ts';
import { type Row, usePaged } from '../../api/rows.ts';
import { AddButton } from '../../components/add-button.tsx';
import { Can } from '../../components/can.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { ResourcePage } from '../../components/resource-page.tsx';
import type { Column } from '../../components/resource-table.tsx';
import { changedColumn, kindColumn, nameColumn, stateColumn } from '../../components/row-columns.tsx';
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
      nameColumn(t('title'), 170, (row) => setSearch({ open: row.name, add: undefined, tab: 'items' })),
      { key: 'description', title: t('description'), width: 250, render: ({ spec }) => <span translate="no">{spec.description}</span> },
      kindColumn(t('kind'), 'mcp', 210),
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
      changedColumn(t('changed'), format),
      stateColumn(t('state')),
    ],
    [t, format, setSearch],
  );

  const addButton = (
    <Can right="llm:mcp:manage">
      <AddButton text={t('add')} onAdd={() => setSearch({ add: 'yes', open: undefined })} />
    </Can>
  );
  return (
    <ResourcePage
      title={t('title')}
      purpose={t('purpose')}
      actions={addButton}
      emptyTitle={t('emptyTitle')}
      emptyHelp={t('emptyHelp')}
      sharedKind="mcp"
      query={query}
      columns={columns}
      textOf={({ name, spec }) => `${name} ${spec.description} ${spec.kind}`}
    >
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
    </ResourcePage>
  );
}
