/** Where Goldmane is and what proves who we are; the files are read anew at every connect. */
export interface GoldmaneTarget {
  /** host:port */
  host: string;
  /** The name that the server's certificate must carry; default: the host without its port. */
  serverName?: string;
  /** True: the server's certificate is not verified. Ours is presented all the same. */
  insecure: boolean;
  certPath: string;
  keyPath: string;
  caPath: string;
  /** The largest message that is accepted, bytes. One `List` answer takes about 350 bytes a record. */
  maxReceiveBytes: number;
}
