/** How a host is called by TLS; everything may be left out. All but the name in PEM. */
export interface ClientTls {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  /** Name that the host's certificate must carry; undefined: with `ca`, any that it signed, else the name in the URL. */
  readonly serverName?: string | undefined;
}

/** The part of Node's `tls.connect` that is used. */
interface ConnectOptions extends Omit<ClientTls, "serverName"> {
  readonly servername?: string;
  readonly checkServerIdentity?: () => undefined;
}

/** The same as Node's TLS takes it. */
export function toConnectOptions(tls: ClientTls | undefined): ConnectOptions {
  if (tls === undefined) return {};
  const { serverName, ...material } = tls;
  if (serverName !== undefined) return { ...material, servername: serverName };
  // Hosts are reached by addresses that no certificate names: their authority is what is checked.
  return tls.ca === undefined ? material : { ...material, checkServerIdentity: () => undefined };
}
