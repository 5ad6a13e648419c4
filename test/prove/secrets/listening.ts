import { readdir, readFile, readlink } from 'node:fs/promises';

/** A TCP socket on which a process listens, or a UDP socket that it has bound. */
export interface Listening {
  protocol: 'tcp' | 'udp';
  address: string;
  port: number;
}

/** TCP_LISTEN of the kernel's tcp_states.h. */
const listen = '0A';

/** The sockets of a process, from /proc. Linux only. */
export async function listeningOf(pid: number): Promise<Listening[]> {
  const inodes = new Set<string>();
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  const found: Listening[] = [];
  for (const name of ['tcp', 'tcp6', 'udp', 'udp6'] as const) {
    const protocol = name.startsWith('tcp') ? 'tcp' : 'udp';
    for (const line of (await readFile(`/proc/${pid}/net/${name}`, 'utf8')).split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (!inodes.has(inode) || (protocol === 'tcp' && state !== listen)) continue;
      const [address = '', port = ''] = local.split(':');
      found.push({ protocol, address: addressOf(address), port: Number.parseInt(port, 16) });
    }
  }
  return found;
}

/** Words of 32 bits, each in the byte order of the machine, which is little-endian. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length === 4) return [...bytes].toReversed().join('.');
  return bytes.swap32().toString('hex');
}
