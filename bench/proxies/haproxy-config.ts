/** HAProxy as it comes: keep-alive on both sides, connections to the service reused. */
export function haproxyConfig({ port, servicePort }: { port: number; servicePort: number }): string {
  return `global
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
frontend in
  bind 127.0.0.1:${port}
  default_backend service
backend service
  http-reuse always
  server one 127.0.0.1:${servicePort}
`;
}
