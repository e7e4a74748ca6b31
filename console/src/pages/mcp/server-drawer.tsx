/** One MCP service: the form of its transport with a test of the draft, and what can be done with a stored one. */
import { type ReactNode, useMemo } from 'react';
import { type DrawerTab, ResourceDrawer } from '../../components/resource-drawer.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { DraftTest } from './draft-test.tsx';
import { InspectorTab } from './inspector-tab.tsx';
import { ItemsTab } from './items-tab.tsx';
import { StateTab } from './state-tab.tsx';
import { texts } from './texts.ts';

const initial = { name: '', enabled: true, spec: { kind: 'http', options: {} } };

interface ServerDrawerProps {
  readonly name: string | null;
  readonly tab: string | undefined;
  readonly onTab: (tab: string) => void;
  readonly onClose: () => void;
  readonly onSaved: (name: string) => void;
}

export function ServerDrawer({ name, tab, onTab, onClose, onSaved }: ServerDrawerProps): ReactNode {
  const t = useTexts(texts);
  const tabs = useMemo(
    (): readonly DrawerTab[] => [
      { key: 'items', label: t('items'), content: ({ stored, canChange }) => <ItemsTab row={stored} canChange={canChange} /> },
      { key: 'inspector', label: t('inspector'), content: ({ stored }) => <InspectorTab server={stored.name} /> },
      { key: 'state', label: t('connection'), content: ({ stored }) => <StateTab server={stored.name} /> },
    ],
    [t],
  );
  return (
    <ResourceDrawer
      wide
      collection="mcp-servers"
      name={name}
      title={name ?? t('new')}
      initial={initial}
      tabs={tabs}
      tab={tab}
      onTab={onTab}
      onClose={onClose}
      onSaved={onSaved}
    >
      {(draft, stored) => stored?.partial !== true && <DraftTest spec={draft.spec} stored={stored?.name} />}
    </ResourceDrawer>
  );
}
