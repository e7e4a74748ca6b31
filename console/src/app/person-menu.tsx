/** Who is signed in, in which tenant and with which roles; the theme; signing out. */
import { UserOutlined } from '@ant-design/icons';
import { App, Button, Popover, Segmented, Tag } from 'antd';
import type { ReactNode } from 'react';
import { signOut, useSession } from '../api/session.ts';
import { useTexts } from '../i18n/texts.ts';
import { texts } from './texts.ts';
import { type ThemeChoice, themeChoices, useTheme } from './theme.tsx';

function PersonCard(): ReactNode {
  const t = useTexts(texts);
  const { data: me } = useSession();
  const { choice, choose } = useTheme();
  const { message } = App.useApp();
  if (me == null) return null;
  return (
    <div className="person">
      <dl>
        <dt>{t('person')}</dt>
        <dd translate="no">{me.username}</dd>
        <dt>{t('tenant')}</dt>
        <dd translate="no">{me.tenant}</dd>
        <dt>{t('roles')}</dt>
        <dd translate="no">
          {me.roles.map((role) => (
            <Tag key={role}>{role}</Tag>
          ))}
        </dd>
        <dt>{t('permissions')}</dt>
        <dd translate="no" className="person-permissions">
          {me.permissions.map((code) => (
            <code key={code}>{code}</code>
          ))}
        </dd>
        <dt>{t('theme')}</dt>
        <dd>
          <Segmented<ThemeChoice>
            size="small"
            aria-label={t('theme')}
            value={choice}
            options={themeChoices.map((each) => ({ value: each, label: t(`theme.${each}`) }))}
            onChange={choose}
          />
        </dd>
      </dl>
      <Button block onClick={() => void signOut().catch(() => message.error(t('signOutFailed')))}>
        {t('signOut')}
      </Button>
    </div>
  );
}

export function PersonMenu(): ReactNode {
  const t = useTexts(texts);
  const { data: me } = useSession();
  return (
    <Popover trigger="click" placement="bottomRight" content={<PersonCard />}>
      <Button type="text" icon={<UserOutlined />} aria-label={`${t('account')}: ${me?.username ?? ''}`}>
        <span className="person-name" translate="no">
          {me?.username}
        </span>
      </Button>
    </Popover>
  );
}
