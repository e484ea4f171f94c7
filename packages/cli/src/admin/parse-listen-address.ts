/** `127.0.0.1:8081` and `[::1]:8081` as `server.listen` takes them. */
export function parseListenAddress(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(at + 1)) };
}
