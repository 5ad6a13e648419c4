import { EventEmitter } from 'node:events';
import type pg from 'pg';

const bound = 'SCRAM-SHA-256-PLUS';
/** Ways to authenticate that send the password, or a proof of it, without binding it to the TLS connection. */
const unbound = ['authenticationCleartextPassword', 'authenticationMD5Password'];

/**
 * Makes a client fail before it sends proof of its password unless the server offers channel binding, as libpq does
 * with `channel_binding=require`. `pg` uses channel binding where the server offers it, but cannot require it. Call
 * this after `connect`, when `pg` has attached its own listeners.
 */
export function requireChannelBinding(client: pg.Client): void {
  const connection: unknown = Reflect.get(client, 'connection');
  if (!(connection instanceof EventEmitter)) throw new Error('pg.Client no longer has a connection');
  let isBound = false;
  const refuse = (what: string) => {
    connection.emit('error', new Error(`channel binding is required, but the server ${what}`));
  };
  for (const event of unbound) {
    connection.removeAllListeners(event);
    connection.on(event, () => refuse('requests a password without it'));
  }
  const continueSasl = connection.listeners('authenticationSASL');
  connection.removeAllListeners('authenticationSASL');
  connection.on('authenticationSASL', (message: { mechanisms: readonly string[] }) => {
    if (!message.mechanisms.includes(bound)) return refuse('does not offer it');
    isBound = true;
    for (const listener of continueSasl) Reflect.apply(listener, connection, [message]);
  });
  connection.on('authenticationOk', () => {
    if (!isBound) refuse('does not request a password');
  });
}
