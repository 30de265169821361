import { readStored } from './stored-value.ts'

/** Chosen in the settings of this browser, beside the permission that the browser itself asks for. */
export const NOTIFICATIONS_KEY = 'orchestrator.notifications'

export const canNotify = (): boolean => 'Notification' in window

/** Whether a person wants to be told, and the browser lets us. */
export const mayNotify = (): boolean =>
  canNotify() && Notification.permission === 'granted' && readStored(NOTIFICATIONS_KEY) === 'on'
