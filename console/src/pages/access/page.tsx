/** Access: the grants, who may do what and by which rule, and why a person may or may not. */
import { Tabs } from 'antd';
import type { ReactNode } from 'react';
import { AddButton } from '../../components/add-button.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useTexts } from '../../i18n/texts.ts';
import { AccountsTab } from './accounts-tab.tsx';
import { ExplainTab } from './explain-tab.tsx';
import { GrantsTab } from './grants-tab.tsx';
import { MatrixTab } from './matrix-tab.tsx';
import { TeamsTab } from './teams-tab.tsx';
import { texts } from './texts.ts';
import { TokenTab } from './token-tab.tsx';
import { ViewAsTab } from './view-as-tab.tsx';

export function AccessPage(): ReactNode {
  const t = useTexts(texts);
  const [{ tab = 'grants' }, setSearch] = useSearchState('tab', 'open', 'add', 'part');
  return (
    <>
      <PageHeader
        title={t('title')}
        purpose={t('purpose')}
        actions={<AddButton text={t('grant')} onAdd={() => setSearch({ tab: undefined, add: 'yes', open: undefined, part: undefined })} />}
      />
      <Tabs
        activeKey={tab}
        destroyOnHidden
        onChange={(next) => setSearch({ tab: next === 'grants' ? undefined : next, open: undefined, add: undefined, part: undefined })}
        items={[
          { key: 'grants', label: t('grants'), children: <GrantsTab /> },
          { key: 'teams', label: t('teams'), children: <TeamsTab /> },
          { key: 'accounts', label: t('accounts'), children: <AccountsTab /> },
          { key: 'matrix', label: t('matrix'), children: <MatrixTab /> },
          { key: 'explain', label: t('explain'), children: <ExplainTab /> },
          { key: 'view-as', label: t('viewAs'), children: <ViewAsTab /> },
          { key: 'tokens', label: t('tokens'), children: <TokenTab /> },
        ]}
      />
    </>
  );
}
