/** nginx with one worker that keeps connections to the service, and writes nothing outside its folder. */
export function nginxConfig({
  folder,
  port,
  servicePort,
}: {
  folder: string;
  port: number;
  servicePort: number;
}): string {
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  ${places.join("\n  ")}
  keepalive_requests 1000000;
  upstream service { server 127.0.0.1:${servicePort}; keepalive 256; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`;
}
