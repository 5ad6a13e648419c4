export { counted } from '../../text/counted.ts';

/** Times as the page writes them, in the trail's time zone. */
export interface Times {
  /** `27 Nov 2026, 08:00` */
  minute: (iso: string) => string;
  /** `3 d ago` */
  ago: (iso: string) => string;
}

export function timesOf(timeZone: string, now: string): Times {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    day: '2-digit',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const nowMs = Date.parse(now);
  return {
    minute: (iso) => format.format(new Date(iso)),
    ago: (iso) => ago(nowMs - Date.parse(iso)),
  };
}

function ago(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} d ago`;
}
