import { getDefaultAutoSelectFamilyAttemptTimeout, setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';

const nodeDefaultMs = 250;
/** One retransmission of a lost SYN (1 s), and a slow route. Below a quarter of our shortest connection timeout. */
const attemptMs = 2_500;

/**
 * Gives each address of a name more time than Node's 250 ms to accept a connection. Node ends the attempt at every address
 * but the last after that time, so a distant service with an IPv4 address and an unreachable IPv6 address could never be
 * reached (nodejs/node#54359). A value set by `--network-family-autoselection-attempt-timeout` stays.
 */
export function extendConnectAttempts(): void {
  if (getDefaultAutoSelectFamilyAttemptTimeout() === nodeDefaultMs)
    setDefaultAutoSelectFamilyAttemptTimeout(attemptMs);
}
