/** The frame of every page: menu, who is signed in, language and theme. */
import { MenuOutlined } from '@ant-design/icons';
import { Outlet, useRouterState } from '@tanstack/react-router';
import { Button, Drawer, Grid, Layout as Frame } from 'antd';
import { type ReactNode, Suspense, useEffect, useState } from 'react';
import { consolePath } from '../api/client.ts';
import { DeniedState } from '../components/denied-state.tsx';
import { useCan } from '../components/can.tsx';
import { useTexts } from '../i18n/texts.ts';
import { Logo, useProductName } from './brand.tsx';
import { DemoBanner } from './demo-banner.tsx';
import { LanguageSwitch } from './language-switch.tsx';
import { MainMenu } from './main-menu.tsx';
import { type PageEntry, pages } from './pages.tsx';
import { PersonMenu } from './person-menu.tsx';
import { texts } from './texts.ts';
import { usePageFocus } from './use-page-focus.ts';
import { ViewBanner } from './view-banner.tsx';

function pageAt(pathname: string): PageEntry | undefined {
  const path = `/${pathname.slice(consolePath.length).replace(/\/$/, '')}`;
  return pages.find((page) => page.path === path);
}

function Content({ page }: { readonly page: PageEntry | undefined }): ReactNode {
  const right = page?.right ?? 'signed-in';
  return useCan(right) ? <Outlet /> : <DeniedState right={right} />;
}

export function Layout(): ReactNode {
  const t = useTexts(texts);
  const { md: isWide = true } = Grid.useBreakpoint();
  const [isMenuOpen, setMenuOpen] = useState(false);
  const pathname = useRouterState({ select: ({ location }) => location.pathname });
  // The router may report the path with or without its base.
  const page = pageAt(pathname.startsWith(consolePath) ? pathname : consolePath + pathname.slice(1));
  const product = useProductName();
  const title = page === undefined ? product : `${t(page.title)} · ${product}`;
  usePageFocus();
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <Frame className="frame">
      <a className="skip" href="#content">
        {t('skip')}
      </a>
      <Frame.Header className="head">
        {!isWide && <Button type="text" icon={<MenuOutlined aria-hidden />} aria-label={t('menu')} onClick={() => setMenuOpen(true)} />}
        <span className="brand">
          <Logo size={22} />{' '}
          <span className="brand-name" translate="no">
            {product}
          </span>
        </span>
        <span className="head-end">
          {isWide && <LanguageSwitch />}
          <PersonMenu />
        </span>
      </Frame.Header>
      <Frame>
        {isWide ? (
          <Frame.Sider width={208} className="side">
            <nav aria-label={t('menu')}>
              <MainMenu current={page?.path} />
            </nav>
          </Frame.Sider>
        ) : (
          <Drawer open={isMenuOpen} onClose={() => setMenuOpen(false)} placement="left" size={260} title={product}>
            <nav aria-label={t('menu')}>
              <MainMenu current={page?.path} onChoose={() => setMenuOpen(false)} />
            </nav>
            <LanguageSwitch />
          </Drawer>
        )}
        <main className="content" id="content" tabIndex={-1}>
          <ViewBanner />
          <DemoBanner />
          <Suspense>
            <Content page={page} />
          </Suspense>
        </main>
      </Frame>
    </Frame>
  );
}
