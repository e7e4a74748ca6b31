/** The menu: the pages that this person may see, by what they are for. */
import { Link } from '@tanstack/react-router';
import { Menu } from 'antd';
import type { ReactNode } from 'react';
import { holds, useSession } from '../api/session.ts';
import { useTexts } from '../i18n/texts.ts';
import { pages } from './pages.tsx';
import { texts } from './texts.ts';

const groups = ['work', 'setup', 'watch'] as const;

interface MainMenuProps {
  readonly current: string | undefined;
  readonly onChoose?: () => void;
}

export function MainMenu({ current, onChoose }: MainMenuProps): ReactNode {
  const t = useTexts(texts);
  const { data: me } = useSession();
  const items = groups.flatMap((group) => {
    const own = pages.filter((page) => page.group === group && me != null && holds(me, page.right));
    if (own.length === 0) return [];
    return [
      {
        key: group,
        type: 'group' as const,
        label: t(group),
        children: own.map(({ path, title, icon }) => ({ key: path, icon, label: <Link to={path}>{t(title)}</Link> })),
      },
    ];
  });
  return (
    <Menu
      mode="inline"
      selectedKeys={current === undefined ? [] : [current]}
      items={items}
      className="main-menu"
      onClick={() => onChoose?.()}
    />
  );
}
